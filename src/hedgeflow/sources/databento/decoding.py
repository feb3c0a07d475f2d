"""Databento's binary files: what stands in a header, and the records as one array."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hedgeflow.market.errors import DataError
from hedgeflow.sources.files import check_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
DBN_MAGIC: Final = b"DBN"
PRELUDE_BYTES: Final = 8
"""Magic, version, and the length of the metadata that follow."""
LENGTH_UNIT_BYTES: Final = 4
"""A record states its own length in units of four bytes."""

RECORD_OF_SCHEMA: Final[Mapping[str, str]] = {
    "mbo": "MBOMsg",
    "mbp-1": "MBP1Msg",
    "mbp-10": "MBP10Msg",
    "tbbo": "MBP1Msg",
    "trades": "TradeMsg",
    "bbo-1s": "BBOMsg",
    "bbo-1m": "BBOMsg",
    "cmbp-1": "CMBP1Msg",
    "tcbbo": "CMBP1Msg",
    "cbbo-1s": "CBBOMsg",
    "cbbo-1m": "CBBOMsg",
    "ohlcv-1s": "OHLCVMsg",
    "ohlcv-1m": "OHLCVMsg",
    "ohlcv-1h": "OHLCVMsg",
    "ohlcv-1d": "OHLCVMsg",
    "ohlcv-eod": "OHLCVMsg",
    "definition": "InstrumentDefMsg",
    "statistics": "StatMsg",
    "status": "StatusMsg",
    "imbalance": "ImbalanceMsg",
}
"""The record class, in `databento_dbn`, of each schema."""

DAMAGED: Final = "Download it again"


@dataclass(frozen=True, slots=True)
class DbnHeader:
    """What the header of a file says.

    Attributes
    ----------
    path : pathlib.Path
    version : int
        Of the encoding, as the file was written.
    dataset, schema : str
    start_ns : int
        Begin of what was asked for, UTC nanoseconds, by the records' index time.
    end_ns, limit : int or None
        End of it (exclusive) and largest number of records, where they were given.
    symbols : tuple of str
        What was asked for.
    stype_in, stype_out : str
        Kinds of symbols between which `mappings` map.
    mappings : dict
        By input symbol, its intervals: ``start_date``, ``end_date`` (exclusive), ``symbol``.
    not_found : tuple of str
        Symbols that did not exist on a day or all days.
    ts_out : bool
        Each record ends with the time at which it was sent.
    bytes : int
        Length of header in the uncompressed file.
    """

    path: Path
    version: int
    dataset: str
    schema: str
    start_ns: int
    end_ns: int | None
    limit: int | None
    symbols: tuple[str, ...]
    stype_in: str
    stype_out: str
    mappings: dict[str, list[Any]]
    not_found: tuple[str, ...]
    ts_out: bool
    bytes: int

    @property
    def where(self) -> str:
        """The file's name, for messages."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class DbnFile:
    """A decoded file.

    Attributes
    ----------
    header : DbnHeader
    records : structured ndarray of shape (n_records,)
        Fields as `databento_dbn` names them, prices in 1e-9, times in UTC nanoseconds; records
        of older versions are upgraded to the newest layout.
    sha256 : str
        Of the file as it lies on disk.
    """

    header: DbnHeader
    records: NDArray[Any]
    sha256: str


def read_header(path: Path | str) -> DbnHeader:
    """Return what the header of a DBN file says, reading no further than that.

    Raises
    ------
    DataError
        The file is missing, empty, no DBN file, of a newer version, truncated inside its header,
        or a live recording of several schemas.
    """
    import zstandard

    path = _existing(path)
    with path.open("rb") as file:
        compressed = file.read(len(ZSTD_MAGIC)) == ZSTD_MAGIC
        file.seek(0)
        try:
            if not compressed:
                return _header(path, _beginning(file, path))
            with zstandard.ZstdDecompressor().stream_reader(file) as stream:
                return _header(path, _beginning(stream, path))
        except zstandard.ZstdError as cause:
            raise _damaged(path, cause) from cause


def read_dbn(path: Path | str) -> DbnFile:
    """Return a DBN file with its records as one array.

    Records that already have the newest layout are taken over as they lie in memory; others are
    decoded and upgraded one by one.

    Raises
    ------
    DataError
        As `read_header`; the compressed stream or the last record is cut off, or the records are
        not of the schema that the header names.
    """
    header = read_header(path)
    raw = header.path.read_bytes()
    content = _decompressed(raw, header.path)
    records = _records(header, memoryview(content)[header.bytes :])
    return DbnFile(header, records, hashlib.sha256(raw).hexdigest())


def _existing(path: Path | str) -> Path:
    path = Path(path)
    check_file(path)
    if path.stat().st_size == 0:
        raise DataError("the file is empty (0 bytes)", where=path.name, hint=DAMAGED)
    return path


def _beginning(stream: Any, path: Path) -> bytes:
    """Return the bytes of a file's header."""
    prelude = bytes(stream.read(PRELUDE_BYTES))
    if not prelude.startswith(DBN_MAGIC[: len(prelude)]):
        raise DataError(
            "this is no DBN file",
            where=path.name,
            hint="Expected are .dbn and .dbn.zst files as Databento delivers them, not CSV or JSON",
        )
    length = int.from_bytes(prelude[4:], "little") if len(prelude) == PRELUDE_BYTES else 0
    header = prelude + bytes(stream.read(length))
    if not length or len(header) < PRELUDE_BYTES + length:
        raise DataError("the file ends inside its header", where=path.name, hint=DAMAGED)
    return header


def _header(path: Path, beginning: bytes) -> DbnHeader:
    import databento_dbn as dbn

    version = beginning[3]
    if not version:
        raise DataError("the header states DBN version 0", where=path.name, hint=DAMAGED)
    if version > dbn.DBN_VERSION:
        raise DataError(
            f"the file has DBN version {version}, newer than {dbn.DBN_VERSION}, the newest known",
            where=path.name,
            hint="Install a newer databento-dbn",
        )
    try:
        metadata = dbn.Metadata.decode(beginning)
    except dbn.DBNError as cause:
        raise DataError(
            f"the header cannot be read ({cause})", where=path.name, hint=DAMAGED
        ) from cause
    if metadata.schema is None:
        raise DataError(
            "this is a live recording, with records of several schemas",
            where=path.name,
            hint="Import historical files, which hold one schema each",
        )
    return DbnHeader(
        path=path,
        version=version,
        dataset=metadata.dataset,
        schema=str(metadata.schema),
        start_ns=metadata.start,
        end_ns=metadata.end or None,
        limit=metadata.limit or None,
        symbols=tuple(metadata.symbols),
        stype_in=str(metadata.stype_in),
        stype_out=str(metadata.stype_out),
        mappings={name: list(found) for name, found in metadata.mappings.items()},
        not_found=(*metadata.not_found, *metadata.partial),
        ts_out=metadata.ts_out,
        bytes=len(beginning),
    )


def _decompressed(raw: bytes, path: Path) -> bytes:
    """Return the content of a file; several compressed frames may follow each other."""
    import zstandard

    if not raw.startswith(ZSTD_MAGIC):
        return raw
    frames: list[bytes] = []
    try:
        while raw:
            frame = zstandard.ZstdDecompressor().decompressobj()
            frames.append(frame.decompress(raw))
            if not frame.eof:
                raise DataError(
                    "the compressed file is cut off before its end", where=path.name, hint=DAMAGED
                )
            raw = frame.unused_data
    except zstandard.ZstdError as cause:
        raise _damaged(path, cause) from cause
    return frames[0] if len(frames) == 1 else b"".join(frames)


def _damaged(path: Path, cause: Exception) -> DataError:
    return DataError(f"the compressed file is damaged ({cause})", where=path.name, hint=DAMAGED)


def _records(header: DbnHeader, body: memoryview) -> NDArray[Any]:
    from databento_dbn import v1, v2, v3

    if not len(body):
        raise DataError(
            f"the file holds no records (schema {header.schema})",
            where=header.where,
            hint="Ask for a time and symbols that were traded",
        )
    written = _layout(header, (v1, v2, v3)[header.version - 1])
    newest = _layout(header, v3)
    records = _uniform(header, body, written)
    return records if written == newest else _upgraded(header, body, newest)


def _layout(header: DbnHeader, version: ModuleType) -> np.dtype[Any]:
    """Return how a version of the encoding lays out the records of a schema."""
    name = RECORD_OF_SCHEMA.get(header.schema)
    if name is None:
        raise DataError(
            f"schema {header.schema} is not known",
            where=header.where,
            hint=f"Known are {', '.join(RECORD_OF_SCHEMA)}",
        )
    fields: list[tuple[str, str]] = getattr(version, name)._dtypes  # noqa: SLF001 # its public layout
    return np.dtype([*fields, ("ts_out", "u8")] if header.ts_out else fields)


def _uniform(header: DbnHeader, body: memoryview, layout: np.dtype[Any]) -> NDArray[Any]:
    """Return records of one layout as they lie in memory.

    Checked before any is decoded: the decoder ends the process over a record of another length.
    """
    import databento_dbn as dbn

    whole, rest = divmod(len(body), layout.itemsize)
    records = np.frombuffer(body, layout, count=whole)
    type_wanted = int(dbn.RType.from_schema(dbn.Schema.from_str(header.schema)))
    length_wanted = layout.itemsize // LENGTH_UNIT_BYTES
    foreign = (records["rtype"] != type_wanted) | (records["length"] != length_wanted)
    if foreign.any():
        at = int(foreign.argmax())
        raise DataError(
            f"record {at} is not of schema {header.schema} (type {records['rtype'][at]})",
            where=header.where,
            hint=f"{DAMAGED}; records count from 0",
        )
    if rest:
        raise DataError(
            f"the file is cut off: {rest} bytes of a record follow {whole:,} whole ones",
            where=header.where,
            hint=DAMAGED,
        )
    return records


def _upgraded(header: DbnHeader, body: memoryview, newest: np.dtype[Any]) -> NDArray[Any]:
    """Return records of an older version in the newest layout."""
    import databento_dbn as dbn

    decoder = dbn.DBNDecoder(has_metadata=False, ts_out=header.ts_out, input_version=header.version)
    try:
        found = decoder.write_and_decode(bytes(body))
    except dbn.DBNError as cause:
        raise DataError(
            f"the records cannot be decoded ({cause})", where=header.where, hint=DAMAGED
        ) from cause
    return np.frombuffer(b"".join(bytes(each) for each in found), newest)
