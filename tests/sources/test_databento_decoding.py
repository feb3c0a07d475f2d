"""DBN files: every schema decodes, to what Databento's own decoder and tests say."""

from __future__ import annotations

import csv
import io

import databento_dbn as dbn
import numpy as np
import pytest
import zstandard

from builders.dbn_files import CALL, CME, OPENING, OPRA, bar, header, statistic, trade, written
from hedgeflow.sources.databento import read_dbn, read_header, summarize_dbn
from hedgeflow.sources.databento.schemas import becomes as says

BOTH = ("definition", "mbp-1", "statistics", "tbbo", "trades")
BAR_SCHEMAS = ("ohlcv-1d", "ohlcv-1h", "ohlcv-1m", "ohlcv-1s")
SCHEMAS = {
    CME: (*BOTH, *BAR_SCHEMAS, "bbo-1m", "bbo-1s", "mbo", "mbp-10", "status"),
    OPRA: (*BOTH, *BAR_SCHEMAS, "cbbo-1m", "cbbo-1s"),
}
SAMPLES = [(dataset, schema) for dataset, schemas in SCHEMAS.items() for schema in schemas]

# From databento/databento-python, tests/test_historical_bento.py: what these samples hold.
MBO_GOLDEN = """\
ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,sequence
1609113600000000000,1609099225061045683,160,1,5482,A,B,3675750000000,2,0,647784248135,40,0,1180
1609113600000000000,1609099225061045683,160,1,5482,A,B,3675500000000,1,0,647782686353,40,0,1160
1609113600000000000,1609099225061045683,160,1,5482,A,B,3675250000000,1,0,647782884482,40,0,1166
1609113600000000000,1609099225061045683,160,1,5482,A,B,3675000000000,1,0,647782912367,40,0,1166
"""
MBP_1_GOLDEN = """\
ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00
1609113600006150193,1609113600005871213,1,1,5482,A,B,0,3702250000000,1,130,26128,145805,3702250000000,3702750000000,19,13,11,13
1609113600062687776,1609113600062570311,1,1,5482,A,B,0,3702250000000,1,130,17256,145827,3702250000000,3702750000000,20,13,12,13
1609113600076130343,1609113600076022275,1,1,5482,A,A,0,3702750000000,1,130,17470,145852,3702250000000,3702750000000,20,14,12,14
1609113600076436915,1609113600076339855,1,1,5482,A,B,0,3702250000000,1,130,17409,145853,3702250000000,3702750000000,21,14,13,14
"""


@pytest.fixture
def sample(market_data):
    """Return a function that names the sample of a dataset and schema."""
    return lambda dataset, schema: (
        market_data / "databento" / dataset / f"test_data.{schema}.dbn.zst"
    )


def as_text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def decoded_by_databento(path) -> list:
    """Return the record objects of Databento's streaming decoder."""
    decoder = dbn.DBNDecoder(compression=dbn.Compression.ZSTD)
    return [
        each for each in decoder.write_and_decode(path.read_bytes())
        if not isinstance(each, dbn.Metadata)
    ]  # fmt: skip


def transcoded_by_databento(path) -> list[dict[str, str]]:
    """Return the rows of Databento's own CSV encoding."""
    out = io.BytesIO()
    transcoder = dbn.Transcoder(
        out, dbn.Encoding.CSV, dbn.Compression.NONE,
        pretty_px=False, pretty_ts=False, map_symbols=False,
    )  # fmt: skip
    transcoder.write(zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read())
    transcoder.flush()
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


def test_there_are_samples_of_25_schemas(market_data):
    found = sorted((market_data / "databento").glob("*/*.dbn.zst"))
    names = {(path.parent.name, path.name.split(".")[1]) for path in found}
    assert names == set(SAMPLES)
    assert len(SAMPLES) == 25


@pytest.mark.parametrize(("dataset", "schema"), SAMPLES)
def test_a_sample_holds_what_databentos_decoder_finds_in_it(sample, dataset, schema):
    path = sample(dataset, schema)
    file = read_dbn(path)
    assert (file.header.dataset, file.header.schema) == (dataset, schema)
    expected = decoded_by_databento(path)
    assert file.records.size == len(expected) > 0
    assert file.records.tobytes() == b"".join(bytes(each) for each in expected)


@pytest.mark.parametrize(("dataset", "schema"), SAMPLES)
def test_a_samples_fields_are_those_of_databentos_csv(sample, dataset, schema):
    path = sample(dataset, schema)
    records = read_dbn(path).records
    rows = transcoded_by_databento(path)
    assert len(rows) == records.size
    undefined = {2**64 - 1, 2**63 - 1}
    compared = 0
    for at, row in enumerate(rows):
        for name, text in row.items():
            if name in (records.dtype.names or ()):
                value = records[name][at]
                missing = not isinstance(value, bytes) and int(value) in undefined
                assert text == as_text(value) or (missing and text in {"", str(value)}), name
                compared += 1
    assert compared >= 8 * len(rows)


@pytest.mark.parametrize(("schema", "golden"), [("mbo", MBO_GOLDEN), ("mbp-1", MBP_1_GOLDEN)])
def test_a_sample_has_the_values_of_databentos_tests(sample, schema, golden):
    records = read_dbn(sample(CME, schema)).records
    rows = list(csv.reader(io.StringIO(golden)))
    found = [[as_text(each[name]) for name in rows[0]] for each in records]
    assert found == rows[1:]


def test_a_minute_bar_has_the_values_of_databentos_tests(sample):
    records = read_dbn(sample(CME, "ohlcv-1m")).records
    first = {name: int(records[name][0]) for name in records.dtype.names or ()}
    assert records.size == 4
    assert first["ts_event"] == 1609113600000000000
    assert first["instrument_id"] == 5482
    assert first["open"] == 3_702_750_000_000
    assert first["high"] == 3_704_750_000_000
    assert first["low"] == 3_702_500_000_000
    assert first["close"] == 3_704_750_000_000
    assert first["volume"] == 306


def test_a_header_has_the_values_of_databentos_tests(sample):
    found = read_header(sample(CME, "mbo"))
    assert (found.version, found.dataset, found.schema) == (3, "GLBX.MDP3", "mbo")
    assert (found.stype_in, found.stype_out) == ("raw_symbol", "instrument_id")
    assert (found.start_ns, found.end_ns) == (1609113600000000000, 1609200000000000000)
    assert (found.limit, found.symbols, found.not_found) == (4, ("ESH1",), ())
    assert not found.ts_out
    [interval] = found.mappings["ESH1"]
    assert {name: str(value) for name, value in interval.items()} == {
        "start_date": "2020-12-28",
        "end_date": "2020-12-29",
        "symbol": "5482",
    }


def test_compressed_and_plain_files_hold_the_same(tmp_path):
    top = header("trades", OPRA, {CALL: 11})
    records = [trade(CALL, OPENING + n, 1.0 + n) for n in range(3)]
    packed = read_dbn(written(tmp_path, "packed", top, records))
    plain = read_dbn(written(tmp_path, "plain", top, records, compress=False))
    assert packed.records.tobytes() == plain.records.tobytes()
    assert packed.records["price"].tolist() == [10**9, 2 * 10**9, 3 * 10**9]


def test_frames_that_follow_each_other_are_one_file(tmp_path):
    top = header("trades", OPRA, {CALL: 11})
    parts = [bytes(top), *(bytes(trade(CALL, OPENING + n, 1.0)) for n in range(4))]
    path = tmp_path / "joined.dbn.zst"
    path.write_bytes(b"".join(zstandard.ZstdCompressor().compress(part) for part in parts))
    assert read_dbn(path).records.size == 4


@pytest.mark.parametrize("ts_out", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_records_of_older_versions_are_upgraded(tmp_path, version, ts_out):
    top = dbn.Metadata(
        dataset=CME,
        start=OPENING,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.STATISTICS,
        symbols=["ESH5"],
        version=version,
        ts_out=ts_out,
    )
    sent = {"ts_out": 77} if ts_out else {}
    old = [
        dbn.StatMsgV1(
            publisher_id=1, instrument_id=5482, ts_event=3, ts_recv=OPENING + n, ts_ref=4, price=1,
            quantity=n, stat_type=dbn.StatType.OPEN_INTEREST, **sent,
        )
        for n in range(3)
    ]  # fmt: skip
    file = read_dbn(written(tmp_path, "old", top, old))
    assert file.header.version == version
    assert file.records["quantity"].dtype == np.int64  # 32 bits wide in the old layout
    assert file.records["quantity"].tolist() == [0, 1, 2]
    assert file.records["ts_recv"].tolist() == [OPENING, OPENING + 1, OPENING + 2]
    assert ("ts_out" in (file.records.dtype.names or ())) is ts_out


def test_records_with_the_time_of_sending_are_read(tmp_path):
    top = header("trades", OPRA, {CALL: 11}, ts_out=True)
    sent = dbn.TradeMsg(
        publisher_id=23, instrument_id=11, ts_event=OPENING, price=10**9, size=2,
        action=dbn.Action.TRADE, side=dbn.Side.NONE, depth=0, ts_recv=OPENING + 5,
        ts_out=OPENING + 9,
    )  # fmt: skip
    records = read_dbn(written(tmp_path, "sent", top, [sent, sent])).records
    assert records["ts_out"].tolist() == [OPENING + 9] * 2
    assert records["ts_recv"].tolist() == [OPENING + 5] * 2


def test_a_summary_counts_records_and_names_instruments(tmp_path):
    top = header("ohlcv-1s", CME, {"ESH5": 5482, "ESM5": 5483})
    records = [bar("ESH5", OPENING, 6000), bar("ESM5", OPENING, 6050), bar("ESH5", OPENING + 9, 1)]
    found = summarize_dbn(written(tmp_path, "bars", top, records))
    assert (found.records, found.instruments, found.symbols) == (3, 2, ("ESH5", "ESM5"))
    assert (found.first_ns, found.last_ns) == (OPENING, OPENING + 9)
    assert found.becomes == "bars"


@pytest.mark.parametrize(
    ("dataset", "schema", "becomes"),
    [
        (OPRA, "trades", "option_trades"),
        (OPRA, "tcbbo", "option_trades"),
        (OPRA, "cbbo-1m", "option_quotes"),
        (OPRA, "statistics", "open_interest"),
        (OPRA, "ohlcv-1m", "nothing (bars of options are not kept)"),
        (CME, "trades", "hedge_trades, option_trades"),
        (CME, "tbbo", "hedge_trades, hedge_quotes, option_trades"),
        (CME, "mbp-1", "hedge_quotes, option_quotes"),
        (CME, "mbp-10", "nothing (order books are not kept yet)"),
        ("XNAS.ITCH", "bbo-1s", "hedge_quotes"),
        ("XEUR.EOBI", "trades", "nothing (dataset XEUR.EOBI is not known)"),
    ],
)
def test_a_summary_says_what_an_import_makes(tmp_path, dataset, schema, becomes):
    path = written(tmp_path, "any", header(schema, dataset), [statistic(CALL, OPENING, 1)])
    assert says(read_header(path)) == becomes
