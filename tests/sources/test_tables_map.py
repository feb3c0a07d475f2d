"""The map of a table: what it may say, how file and options go together, what is no map."""

from __future__ import annotations

import polars as pl
import pytest

from builders.market_files import START, written
from hedgeflow.market import Catalog, DataError, TapeKind
from hedgeflow.market.time import SECOND_NS
from hedgeflow.sources.tables.columns import Condition, Source, table_map
from hedgeflow.sources.tables.fields import check_fields
from hedgeflow.sources.tables.importing import import_table

CHAIN = """
kind = "open_interest"
venue = "nse"
underlying = "NIFTY"
timezone = "Asia/Kolkata"
resolution = 1
where = ["Symbol=NIFTY"]

[columns]
ts = "timestamp"
strike = "Strike"
expiry = "Expiry"

[constants]
expiry_time = "15:30"
multiplier = 65

[[rows]]
columns = { open_interest = "CE_OI/65" }
constants = { right = "C" }

[[rows]]
columns = { open_interest = "PE_OI/65" }
constants = { right = "P" }
where = ["PE_OI>0"]
"""


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a map and reads it, with options over it."""

    def run(text, **options):
        path = tmp_path / "map.toml"
        path.write_text(text, encoding="utf-8")
        return table_map(path, **options)

    return run


def test_a_file_says_everything(read):
    found = read(CHAIN)
    assert (found.kind, found.venue, found.underlying) == (TapeKind.OPEN_INTEREST, "nse", "NIFTY")
    assert (found.timezone, found.resolution_ns) == ("Asia/Kolkata", SECOND_NS)
    calls, puts = found.rows
    assert calls.columns["open_interest"] == Source("CE_OI", divisor=65.0)
    assert calls.constants == {"expiry_time": "15:30", "multiplier": 65, "right": "C"}
    assert calls.where == (Condition("Symbol", "=", "NIFTY"),)
    assert puts.where == (Condition("Symbol", "=", "NIFTY"), Condition("PE_OI", ">", "0"))


def test_options_come_before_the_file(read):
    found = read(CHAIN, venue="bse", resolution_seconds=60.0, columns="strike:=100,ts=at")
    assert (found.venue, found.resolution_ns) == ("bse", 60 * SECOND_NS)
    assert found.rows[0].constants["strike"] == "100"
    assert "strike" not in found.rows[0].columns
    assert found.rows[0].columns["ts"] == Source("at")


def test_one_row_of_the_file_becomes_a_row_for_each_table_of_rows(read, tmp_path):
    frame = pl.DataFrame(
        {
            "timestamp": [START, START],
            "Symbol": ["NIFTY", "BANKNIFTY"],
            "Strike": [25_000.0, 60_000.0],
            "Expiry": ["2025-04-17", "2025-04-24"],
            "CE_OI": [650.0, 30.0],
            "PE_OI": [1300.0, 60.0],
        }
    )
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    report, _ = import_table(written(frame, tmp_path), catalog, read(CHAIN))
    tape = catalog.read(report.key)
    assert tape.select("contract", "open_interest", "sequence").rows() == [
        ("NIFTY-20250417T1000-25000-C", 10.0, 0),
        ("NIFTY-20250417T1000-25000-P", 20.0, 1),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kinds = 'bars'", "'kinds' is no key of a map"),
        ("[[rows]]\nkind = 'bars'", "'rows.0.kind' is no key of a map"),
        ("kind = 'bar'", "'kind'.*was 'bar'"),
        ("resolution = -1", "'resolution'.*was -1"),
        ("columns = 3", "'columns'"),
        ("kind = ", "no TOML"),
        ("[columns]\nts = 'a'\n[constants]\nts = 'b'", "both a column and a constant"),
        ("[columns]\nprice = 'a*0'", "no factor"),
        ("where = ['coin']", "'coin' is no condition"),
    ],
)
def test_what_is_no_map_is_refused(read, text, said):
    with pytest.raises(DataError, match=said):
        read(text, venue="v")


def test_kind_and_venue_are_needed(read):
    with pytest.raises(DataError, match="--kind is missing"):
        read("venue = 'v'")
    with pytest.raises(DataError, match="--venue is missing"):
        read("kind = 'bars'")


def test_a_map_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        table_map(tmp_path / "no.toml")


@pytest.mark.parametrize("columns", ["ts", "=time", "ts=", "ts:="])
def test_what_is_no_part_of_a_column_map_is_refused(columns):
    with pytest.raises(DataError, match="no part of a column map"):
        table_map(kind="bars", venue="v", columns=columns)


@pytest.mark.parametrize(
    ("kind", "columns", "said"),
    [
        ("funding", "ts=a", "field 'rate' is missing"),
        ("hedge_trades", "ts=a,price=b", "field 'size or value' is missing"),
        ("hedge_trades", "ts=a,price=b,size=c,value=d", "both size and value"),
        ("funding", "ts=a,rate=b,strike=c", "no field 'strike'"),
        ("option_definitions", "ts=a", "cannot be imported"),
        ("open_interest", "ts=a,open_interest=b,style=c", "'style' must be a constant"),
    ],
)
def test_fields_must_make_the_kind(kind, columns, said):
    found = table_map(kind=kind, venue="v", columns=columns)
    with pytest.raises(DataError, match=said):
        check_fields(found.kind, found.rows[0])


@pytest.mark.parametrize(
    ("columns", "where", "said"),
    [
        ("ts=t,ratio=nothing", None, "column 'nothing' is missing"),
        ("ts=t,ratio=r", "coin=BTC", "column 'coin' is missing"),
        ("ts=t,ratio=r", "r>many", "'many' cannot be compared"),
        ("ts=t,ratio=r", "r>2", "no row is left where r>2"),
        ("ts=t*2,ratio=r", None, "'ts' takes no factor"),
        ("ts=t,ratio=t", None, "expected a number"),
    ],
)
def test_a_map_that_does_not_fit_the_file_is_refused(tmp_path, columns, where, said):
    path = written(pl.DataFrame({"t": [START], "r": [1.5]}), tmp_path)
    table = table_map(
        kind="long_short_ratio", venue="v", instrument="BTC-PERP", columns=columns, where=where
    )
    with pytest.raises(DataError, match=said):
        import_table(path, Catalog.create_or_open(tmp_path / "catalog"), table)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "funding"}, "--instrument"),
        ({"kind": "funding", "instrument": "BTCUSDT"}, "cannot be told from its name"),
        ({"kind": "option_quotes"}, "--underlying"),
        (
            {"kind": "option_quotes", "underlying": "BTC", "instrument": "BTC-PERP"},
            "no instrument 'BTC-PERP'",
        ),
    ],
)
def test_what_a_tape_is_of_must_be_named(tmp_path, options, said):
    path = written(pl.DataFrame({"t": [START], "r": [1.5]}), tmp_path)
    columns = "ts=t,rate=r" if options["kind"] == "funding" else "ts=t,bid=r,ask=r,contract=r"
    table = table_map(venue="v", columns=columns, **options)
    with pytest.raises(DataError, match=said):
        import_table(path, Catalog.create_or_open(tmp_path / "catalog"), table)
