"""DBN files that cannot be used: refused by name, and the catalog stays as it was."""

from __future__ import annotations

import subprocess
import sys

import databento_dbn as dbn
import pytest

from builders.dbn_files import (
    CALL,
    CME,
    NASDAQ,
    NUMBERS,
    OPENING,
    OPRA,
    WEEKLY,
    bar,
    es_option,
    header,
    option_definitions,
    option_prints,
    statistic,
    stock_bars,
    trade,
    written,
)
from hedgeflow.market import Catalog, DataError
from hedgeflow.market.time import SECOND_NS
from hedgeflow.sources import import_databento, summarize_dbn


@pytest.fixture
def catalog(tmp_path):
    """Return a catalog that knows the price of AAPL."""
    opened = Catalog.create_or_open(tmp_path / "catalog")
    import_databento([stock_bars(tmp_path)], opened)
    return opened


def content(catalog):
    return {
        path.relative_to(catalog.path).as_posix(): path.read_bytes()
        for path in catalog.path.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def check_refused(catalog, paths, message, **options):
    """The files are refused with exit code 3, and the catalog holds what it held."""
    before = content(catalog)
    with pytest.raises(DataError, match=message) as caught:
        import_databento(paths, catalog, **options)
    assert caught.value.exit_code == 3
    assert content(catalog) == before


@pytest.mark.parametrize(
    ("dataset", "schema", "message"),
    [
        (CME, "mbo", r"order books are not kept yet: schema mbo\. Taken are the schemas def"),
        (CME, "mbp-10", "order books are not kept yet: schema mbp-10"),
        (CME, "status", "states of trading are not kept: schema status"),
        (NASDAQ, "imbalance", "imbalances of auctions are not kept: schema imbalance"),
        (NASDAQ, "ohlcv-eod", "only those of fixed length: schema ohlcv-eod"),
        (OPRA, "ohlcv-1m", "bars of options are not kept: schema ohlcv-1m of OPRA.PILLAR"),
        ("XEUR.EOBI", "trades", "dataset XEUR.EOBI is not known. Taken are OPRA.PILLAR"),
    ],
)
def test_what_no_tape_takes_is_refused_by_name(catalog, tmp_path, dataset, schema, message):
    path = written(tmp_path, "wrong", header(schema, dataset), [statistic(CALL, OPENING, 1)])
    check_refused(catalog, [path], rf"wrong\.dbn\.zst: .*{message}")


@pytest.mark.parametrize("schema", ["mbo", "mbp-10", "status"])
def test_a_recorded_file_of_another_schema_is_refused_by_name(market_data, catalog, schema):
    path = market_data / "databento" / CME / f"test_data.{schema}.dbn.zst"
    check_refused(catalog, [path], rf"not kept.*: schema {schema}\.")


def test_one_refused_file_keeps_all_given_with_it_out(catalog, tmp_path):
    wrong = written(tmp_path, "wrong", header("mbo", CME), [statistic(CALL, OPENING, 1)])
    check_refused(catalog, [option_prints(tmp_path), wrong], "schema mbo")


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(catalog, tmp_path, share, compress):
    top = header("trades", OPRA, {CALL: 11})
    records = [trade(CALL, OPENING + n * SECOND_NS, 1.0 + n / 7) for n in range(50)]
    path = written(tmp_path, "cut", top, records, compress=compress)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    check_refused(catalog, [path], r"cut\.dbn.*(cut off|ends inside its header).*Download it again")


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"ts_recv,price\n1,2\n", "this is no DBN file. Expected are .dbn and .dbn.zst"),
        (b"PK\x03\x04 a zip", "this is no DBN file"),
        (b"DBN", "the file ends inside its header"),
        (b"DBN\x03\xff\x00\x00\x00", "the file ends inside its header"),
        (b"DBN\x00\x04\x00\x00\x00abcd", "the header states DBN version 0"),
        (b"DBN\x03\x04\x00\x00\x00abcd", "the header cannot be read"),
        (b"\x28\xb5\x2f\xfd garbage", "the compressed file is damaged"),
    ],
)
def test_what_is_no_dbn_file_is_refused(catalog, tmp_path, spoilt, message):
    path = tmp_path / "spoilt.dbn.zst"
    path.write_bytes(spoilt)
    check_refused(catalog, [path], rf"spoilt\.dbn\.zst: {message}")


def test_a_missing_file_is_named(catalog, tmp_path):
    check_refused(catalog, [tmp_path / "nowhere.dbn"], r"nowhere\.dbn: there is no such file")


def test_flipped_bytes_in_a_compressed_file_are_noticed(catalog, tmp_path):
    path = option_prints(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(bytes(raw))
    check_refused(catalog, [path], "the compressed file is damaged")


def test_a_newer_version_is_refused(catalog, tmp_path):
    path = option_prints(tmp_path)
    content = bytearray(bytes(header("trades", OPRA, {CALL: 11})) + bytes(trade(CALL, OPENING, 1)))
    content[3] = dbn.DBN_VERSION + 1
    path.write_bytes(bytes(content))
    check_refused(catalog, [path], f"DBN version {dbn.DBN_VERSION + 1}, newer than")


def test_records_of_another_schema_than_the_header_states_are_refused(catalog, tmp_path):
    same_length = written(
        tmp_path, "same", header("bbo-1s", CME, {"ESH5": 5482}), [statistic(CALL, OPENING, 1)]
    )
    check_refused(catalog, [same_length], r"record 0 is not of schema bbo-1s \(type 24\)")
    other_length = written(
        tmp_path, "other", header("trades", OPRA, {CALL: 11}), [bar("AAPL", OPENING, 1.0)] * 2
    )
    check_refused(catalog, [other_length], "record 0 is not of schema trades")


def test_records_shorter_than_their_version_has_them_do_not_end_the_process(tmp_path):
    """The decoder aborts over such records: they must never reach it."""
    top = dbn.Metadata(
        dataset=CME, start=OPENING, stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID, schema=dbn.Schema.STATISTICS, version=1,
    )  # fmt: skip
    path = written(tmp_path, "short", top, [bar("AAPL", OPENING, 1.0)] * 8)
    with pytest.raises(DataError, match="record 0 is not of schema statistics"):
        summarize_dbn(path)


def test_a_live_recording_of_mixed_schemas_is_refused(catalog, tmp_path):
    top = dbn.Metadata(
        dataset=CME, start=OPENING, stype_in=None, stype_out=dbn.SType.INSTRUMENT_ID, schema=None
    )
    path = written(tmp_path, "live", top, [bar("AAPL", OPENING, 1.0)])
    check_refused(catalog, [path], "a live recording, with records of several schemas")


def test_a_file_without_records_is_refused(catalog, tmp_path):
    path = written(tmp_path, "silent", header("trades", OPRA, {CALL: 11}), [])
    check_refused(catalog, [path], r"holds no records \(schema trades\)")


def test_records_out_of_order_are_refused(catalog, tmp_path):
    records = [trade(CALL, OPENING + n * SECOND_NS, 1.0) for n in (1, 3, 2)]
    path = written(tmp_path, "mixed", header("trades", OPRA, {CALL: 11}), records)
    check_refused(catalog, [path], r"times in column 'ts' are not sorted: row 2 .* follows row 1")


def test_option_trades_without_an_underlying_price_say_what_to_import_first(tmp_path):
    empty = Catalog.create_or_open(tmp_path / "empty")
    check_refused(
        empty,
        [option_prints(tmp_path)],
        r"the catalog holds neither trades nor bars of AAPL\. Import those of AAPL first",
    )


def test_an_underlying_of_several_venues_must_be_chosen(catalog, tmp_path):
    second = written(
        tmp_path,
        "second",
        header("ohlcv-1s", "EQUS.MINI", {"AAPL": 32}),
        [bar("AAPL", OPENING + n * SECOND_NS, 200.0) for n in range(60)],
    )
    import_databento([second], catalog)
    prints = option_prints(tmp_path, count=3)
    check_refused(
        catalog,
        [prints],
        "prices of AAPL could come from equs:AAPL, xnas:AAPL. Choose one, as in --underlying-from",
    )
    [report] = import_databento([prints], catalog, underlying_from="equs:AAPL")
    assert catalog.read(report.key)["underlying_price"].to_list() == [200.0] * 3


def test_one_named_price_cannot_serve_several_underlyings(catalog, tmp_path):
    names = {CALL: NUMBERS[CALL], WEEKLY: NUMBERS[WEEKLY]}
    records = [trade(name, OPENING + SECOND_NS, 1.0) for name in names]
    path = written(tmp_path, "both", header("trades", OPRA, names), records)
    message = "options on AAPL, SPX, and xnas:AAPL can give the price of one only"
    check_refused(catalog, [path], message, underlying_from="xnas:AAPL")


def test_definitions_must_be_definitions(catalog, tmp_path):
    check_refused(
        catalog,
        [option_prints(tmp_path)],
        "this is a file of schema ohlcv-1s, expected definition",
        definitions=stock_bars(tmp_path),
    )


def test_definitions_of_what_cannot_be_kept_are_refused_and_counted(catalog, tmp_path):
    future = es_option("ESH5", instrument_class=dbn.InstrumentClass.FUTURE)
    oil = es_option("LOH5 C7000", underlying="CLH5", strike_price=70 * 10**9)
    path = written(tmp_path, "others", header("definition", CME), [future, oil])
    check_refused(
        catalog,
        [path],
        "defines no option that can be kept. .*1 x future, 1 x option on what cannot be hedged in",
    )


def test_a_file_of_spreads_alone_is_refused(catalog, tmp_path):
    path = written(
        tmp_path, "spreads", header("trades", CME, {"CLH5": 5500}), [trade("CLH5", OPENING, 70.0)]
    )
    check_refused(catalog, [path], "no tape can be made of the file.*left out: CLH5")


def test_statistics_without_open_interest_are_refused_and_named(market_data, catalog):
    path = market_data / "databento" / CME / "test_data.statistics.dbn.zst"
    check_refused(
        catalog, [path], "no open interest, only 3 x highest bid, 1 x trading session high price"
    )


def test_continuous_symbols_need_definitions(catalog, tmp_path):
    path = written(
        tmp_path, "rolled", header("trades", CME, {"ES.c.0": 5482}), [trade("ESH5", OPENING, 1.0)]
    )
    check_refused(catalog, [path], "what instrument 5482 is, is not known.*--definitions")
    defined = written(
        tmp_path,
        "definition",
        header("definition", CME),
        [
            es_option(
                "ESH5",
                OPENING - SECOND_NS,
                instrument_class=dbn.InstrumentClass.FUTURE,
                instrument_id=NUMBERS["ESH5"],
            )
        ],
    )
    [report] = import_databento([path], catalog, definitions=defined)
    assert report.key.instrument == "ESH5"


def test_the_same_time_twice_cannot_be_told_apart(catalog, tmp_path):
    import_databento([option_prints(tmp_path)], catalog)
    check_refused(
        catalog,
        [option_prints(tmp_path, "trades")],
        "30 rows lie in .* which another import of this tape covers.*trades without an id",
    )


def test_terms_that_contradict_those_stored_are_refused(catalog, tmp_path):
    def defined(name, **changes):
        top = header("definition", CME)
        return written(tmp_path, name, top, [es_option(**changes)])

    import_databento([defined("first")], catalog)
    again = defined("second", unit_of_measure_qty=20 * 10**9, at=OPENING + 1)
    check_refused(catalog, [again], "contract 'ESZ4 C4100' has other terms than before")


def test_starting_the_program_does_not_load_the_decoder():
    code = (
        "import sys, hedgeflow.cli.app, hedgeflow.sources;"
        "print([name for name in ('databento_dbn', 'zstandard') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the command ----------------------------------------------------------------------------------


def test_the_command_refuses_another_schema_in_one_line(run, tmp_path):
    path = written(tmp_path, "book", header("mbo", CME), [statistic(CALL, OPENING, 1)])
    code, out, err = run("data", "import", "databento", path, "--catalog", tmp_path / "c")
    assert (code, out) == (3, "")
    assert err.startswith("hedgeflow: book.dbn.zst: order books are not kept yet: schema mbo")
    assert len(err.strip().splitlines()) == 1


def test_a_dry_run_reads_prices_of_the_named_catalog_and_writes_nothing(run, catalog, tmp_path):
    before = content(catalog)
    path = option_prints(tmp_path)
    arguments = ("data", "import", "databento", path, "--catalog", catalog.path, "--dry-run")
    code, out, _ = run(*arguments)
    assert code == 0
    assert "30 rows read = 30 kept" in out
    assert content(catalog) == before


def test_the_command_prints_one_list_for_all_files(run, tmp_path):
    import json

    paths = [option_definitions(tmp_path), stock_bars(tmp_path), option_prints(tmp_path)]
    arguments = ("data", "import", "databento", *paths, "--catalog", tmp_path / "new", "--json")
    code, out, _ = run(*arguments)
    kinds = [each["tape"]["kind"] for each in json.loads(out)]
    assert (code, kinds) == (0, ["option_definitions", "bars", "option_trades"])


def test_every_schema_can_be_described(run, tmp_path):
    book = written(tmp_path, "stats", header("statistics", OPRA), [statistic(CALL, OPENING, 1)])
    code, out, _ = run("data", "describe", book, stock_bars(tmp_path))
    assert code == 0
    assert "not mapped" in out
    assert "ohlcv-1s" in out
