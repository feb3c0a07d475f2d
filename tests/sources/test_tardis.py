"""Tardis files: published rows become tapes, and what is no file of Tardis's is refused.

Rows of trades and quotes of BTCUSDT, of XBTUSD, of the derivative tickers and of the options chain
are those that NautilusTrader publishes in its test data from Tardis's; the option trades are legs
that Deribit sent, written as Tardis writes them.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from builders.market_files import file_bars, written
from hedgeflow.market import Catalog, DataError, TapeKey, TapeKind, tape_schema
from hedgeflow.market.time import DAY_NS, instant_ns
from hedgeflow.sources import import_bars
from hedgeflow.sources.tardis.files import DataType
from hedgeflow.sources.tardis.importing import TardisChoice, import_tardis
from hedgeflow.sources.tardis.symbols import Size, Unit

TRADES = """exchange,symbol,timestamp,local_timestamp,id,side,price,amount
binance-futures,BTCUSDT,1582329603664000,1582329603789953,42377951,buy,9682.48,0.407
binance-futures,BTCUSDT,1582329604065000,1582329604185418,42377952,sell,9681.62,0.001
binance-futures,BTCUSDT,1582329604329000,1582329604450832,42377953,buy,9682.87,0.002
"""
QUOTES = """exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount
binance-futures,BTCUSDT,1582329601096000,1582329603502092,0.84,9682,9681.92,0.67
binance-futures,BTCUSDT,1582329603401000,1582329603522418,0.84,9682,9681.83,0.003
binance-futures,BTCUSDT,1582329603883000,1582329604008036,1.487,9681.5,9681.49,0.67
"""
XBTUSD = """exchange,symbol,timestamp,local_timestamp,id,side,price,amount
bitmex,XBTUSD,1583020803145000,1583020803307160,ccc3c1fa-212c-e8b0-1706-9b9c4f3d5ecf,sell,8531.5,2152
bitmex,XBTUSD,1583020803145000,1583020803307160,282a0445-0e3a-abeb-f403-11003204ea1b,buy,8531.0,1000
"""
CHAIN_HEADER = (
    "exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,open_interest,"
    "last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,"
    "underlying_index,underlying_price,delta,gamma,vega,theta,rho\n"
)
CHAIN = f"""{CHAIN_HEADER}\
deribit,BTC-9JUN20-9875-P,1591574399413000,1591574400196008,put,9875,1591689600000000,0.1,0.0295,0.0205,15.1,55.91,0.0235,15.2,68.94,0.02210436,62.89,SYN.BTC-9JUN20,9756.36,-0.61752,0.00103,2.24964,-53.05655,-0.22796
deribit,BTC-9JUN20-9875-P,1591574404454000,1591574400473112,put,9875,1591689600000000,0.1,0.0295,0.0206,16.0,55.92,0.0236,17.0,68.95,0.02209480,62.86,SYN.BTC-9JUN20,9756.37,-0.61757,0.00103,2.24954,-53.02754,-0.22798
deribit,BTC-9JUN20-10000-C,1591574405454000,1591574405473112,call,10000,1591689600000000,0.2,0.031,0.0305,4.5,54.10,0.0325,5.5,61.10,0.0315,58.10,SYN.BTC-9JUN20,9756.40,0.41750,0.00101,2.14954,-43.02754,0.12798
deribit,BTC-10JUN20-10000-C,1591574406454000,1591574406473112,call,10000,1591776000000000,,0.0301,,,,,,,0.0316,58.20,SYN.BTC-10JUN20,9760.40,,,,,
deribit,ETH-9JUN20-250-P,1591574407454000,1591574407473112,put,250,1591689600000000,12.25,0.12345,0.12345,0.123456,74.12,0.12456,0.223456,78.12,0.12399,76.12,SYN.ETH-9JUN20,245.12345,-0.51750,0.01101,1.14954,-13.02754,-0.12798
deribit,ETH-9JUN20-300-C,1591574408454000,1591574408473112,call,300,1591689600000000,8.0,0.055,0.054,1.5,64.12,,2.5,68.12,0.056,66.12,SYN.ETH-9JUN20,245.22345,0.21750,0.02101,1.04954,-10.02754,0.02798
deribit,BTC-9JUN20-9875-P,1591574460454000,1591574460473112,put,9875,1591689600000000,0.1,0.0296,0.0207,18.0,55.93,0.0237,19.0,68.96,0.02219480,62.96,SYN.BTC-9JUN20,9758.37,-0.61767,0.00104,2.24974,-53.12754,-0.22808
"""
TICKER_HEADER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"
    "predicted_funding_rate,open_interest,last_price,index_price,mark_price\n"
)
DERIBIT_TICKER = f"""{TICKER_HEADER}\
deribit,BTC-PERPETUAL,1786320665523000,1786320665533324,,0.00000459,,705041730,65255.5,65203.53,65220.13
deribit,BTC-PERPETUAL,1786320665637000,1786320665654382,,0.00000459,,705041730,65255.5,65221.3,65237.9
deribit,BTC-PERPETUAL,1786320665645000,1786320665661106,,0.00000452,,705041730,65255.5,65221.3,65237.9
"""
OKX_TICKER = f"""{TICKER_HEADER}\
okex-swap,BTC-USDC-SWAP,1680309048427000,1680309048450728,1680336000000000,0.0001035718476117,-0.0002170715502003,1653109,28474.4,28484.8,28479
okex-swap,BTC-USDC-SWAP,1680309049230000,1680309049263709,1680336000000000,0.0001035718476117,-0.0002170715502003,1653109,28474.4,28484.8,28479.1
"""
LEGS = """exchange,symbol,timestamp,local_timestamp,id,side,price,amount
deribit,BTC-19MAY26-75000-C,1779118041757000,1779118041760000,244365195,buy,0.0174,0.1
deribit,BTC-19MAY26-70000-C,1779118041757000,1779118041760000,244365194,sell,0.0813,0.1
"""
LEGS_CHAIN = f"""{CHAIN_HEADER}\
deribit,BTC-19MAY26-80000-P,1779118000000000,1779118000010000,put,80000,1779177600000000,1,,,,,,,,,,SYN,76100.5,,,,,
deribit,BTC-19MAY26-60000-P,1779118041800000,1779118041801000,put,60000,1779177600000000,1,,,,,,,,,,SYN,99999.0,,,,,
deribit,BTC-26MAY26-80000-P,1779118041000000,1779118041010000,put,80000,1779782400000000,1,,,,,,,,,,SYN,76400.0,,,,,
"""
BINANCE_KEY = TapeKey(TapeKind.HEDGE_TRADES, "binance", "BTC", "BTC-PERP", 1_000)


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file as Tardis packs it."""

    def run(name, text):
        path = tmp_path / name
        data = text.encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return run


@pytest.fixture
def imported(catalog, file):
    """Return a function that imports named texts and returns tapes by kind and underlying."""

    def run(texts, chosen=None, **options):
        paths = [file(name, text) for name, text in texts.items()]
        reports = import_tardis(paths, catalog, chosen, **options)
        return {
            (str(each.key.kind), each.key.underlying): (
                each,
                catalog.read(each.key, accept_rejects=True),
            )
            for each in reports
        }

    return run


def microseconds(stamp):
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamp)


def test_trades_of_a_linear_perpetual_are_in_coins(imported):
    report, tape = imported({"binance-futures_trades_2020-02-22_BTCUSDT.csv.gz": TRADES})[
        "hedge_trades", "BTC"
    ]
    assert report.key == BINANCE_KEY
    assert tape.drop("sequence").schema == tape_schema(TapeKind.HEDGE_TRADES)
    assert tape["price"].to_list() == [9682.48, 9681.62, 9682.87]
    assert tape["size"].to_list() == [0.407, 0.001, 0.002]
    assert tape["aggressor"].to_list() == [1, -1, 1]
    assert tape["trade_id"].to_list() == ["42377951", "42377952", "42377953"]
    assert tape["ts"][0] == microseconds(1582329603664000)
    assert tape["known_at"][0] == microseconds(1582329603789953)


def test_trades_of_an_inverse_perpetual_are_divided_by_their_price(imported):
    _, tape = imported({"bitmex_trades_2020-03-01_XBTUSD.csv": XBTUSD})["hedge_trades", "BTC"]
    assert tape["size"].to_list() == [2152 / 8531.5, 1000 / 8531.0]
    text = XBTUSD.replace("bitmex,XBTUSD", "deribit,BTC-PERPETUAL")
    report, tape = imported({"deribit_trades_2020-03-01_BTC-PERPETUAL.csv": text})[
        "hedge_trades", "BTC"
    ]
    assert (report.key.venue, report.key.instrument) == ("deribit", "BTC-PERP")
    assert tape["size"].to_list() == [2152 / 8531.5, 1000 / 8531.0]


@pytest.mark.parametrize("name", ["quotes.csv.gz", "binance-futures_book_ticker_2020.csv"])
def test_quotes_are_told_by_their_header(imported, name):
    report, tape = imported({name: QUOTES})["hedge_quotes", "BTC"]
    assert report.kept == 3
    assert tape["bid"].to_list() == [9681.92, 9681.83, 9681.49]
    assert tape["ask"].to_list() == [9682.0, 9682.0, 9681.5]


def test_a_file_covers_its_day_up_to_gaps_of_twenty_minutes(imported):
    report, _ = imported({"quotes.csv": QUOTES})["hedge_quotes", "BTC"]
    midnight = instant_ns(datetime(2020, 2, 22, tzinfo=UTC))
    assert report.coverage.intervals == [(midnight, 1582329603883000 * 1000 + 1000)]
    late = QUOTES.replace("15823296", "15824156")  # 86,000 s later: 23:53:24
    report, _ = imported({"late.csv": late})["hedge_quotes", "BTC"]
    assert report.coverage.intervals == [(1582415601096000 * 1000, midnight + DAY_NS)]


def test_an_options_chain_gives_quotes_and_open_interest(imported, catalog):
    found = imported({"deribit_options_chain_2020-06-08_OPTIONS.csv.gz": CHAIN})
    assert set(found) == {
        (kind, coin) for kind in ("option_quotes", "open_interest") for coin in ("BTC", "ETH")
    }
    report, quotes = found["option_quotes", "BTC"]
    assert report.rejected == {}
    assert quotes.select("contract", "bid", "ask", "bid_size", "ask_size").rows() == [
        ("BTC-9JUN20-9875-P", 0.0205, 0.0235, 15.1, 15.2),
        ("BTC-9JUN20-9875-P", 0.0206, 0.0236, 16.0, 17.0),
        ("BTC-9JUN20-10000-C", 0.0305, 0.0325, 4.5, 5.5),
        ("BTC-10JUN20-10000-C", None, None, None, None),
        ("BTC-9JUN20-9875-P", 0.0207, 0.0237, 18.0, 19.0),
    ]
    _, interest = found["open_interest", "BTC"]
    assert interest.select("contract", "open_interest").rows() == [
        ("BTC-9JUN20-9875-P", 0.1),  # unchanged in its later rows
        ("BTC-9JUN20-10000-C", 0.2),
    ]
    expiries = catalog.contracts("deribit", "BTC")["expiry"].unique().sort().to_list()
    assert expiries == [datetime(2020, 6, day, 8, tzinfo=UTC) for day in (9, 10)]
    assert found["option_quotes", "ETH"][1]["ask_size"].to_list() == [0.223456, None]


def test_rows_that_arrive_before_they_were_sent_are_known_after_their_stamp(imported):
    report, quotes = imported({"chain.csv": CHAIN})["option_quotes", "BTC"]
    early = quotes.filter(pl.col("bid") == 0.0206)
    assert early["ts"][0] == microseconds(1591574404454000)
    assert early["known_at"][0] == microseconds(1591574404454001)
    assert (quotes["known_at"] > quotes["ts"]).all()
    assert any("1 rows of the files arrived before they were sent" in note for note in report.notes)


def test_a_quote_of_the_evening_before_stands_at_the_edge_of_its_files_day(imported):
    report, quotes = imported({"chain.csv": CHAIN})["option_quotes", "BTC"]
    assert quotes["ts"][0] == datetime(2020, 6, 8, tzinfo=UTC)
    assert quotes["known_at"][0] == microseconds(1591574400196008)
    assert any("they stand at its edge" in note for note in report.notes)


def test_a_trade_with_an_id_keeps_its_stamp_of_the_evening_before(imported):
    text = LEGS.replace("1779118041757000,1779118041760000", "1779062399990000,1779062400020000")
    _, tape = imported({"trades.csv": text, "chain.csv": LEGS_CHAIN_OF_THE_EVENING})[
        "option_trades", "BTC"
    ]
    assert tape["ts"].unique().to_list() == [microseconds(1779062399990000)]


LEGS_CHAIN_OF_THE_EVENING = LEGS_CHAIN.replace(
    "1779118000000000,1779118000010000", "1779062400000000,1779062400010000"
)


def test_open_interest_of_an_inverse_perpetual_is_in_coins(imported):
    found = imported({"ticker.csv": DERIBIT_TICKER})
    report, interest = found["open_interest", "BTC"]
    assert interest.select("contract", "open_interest").rows() == [
        ("BTC-PERP", 705041730 / 65220.13)
    ]
    assert ("funding", "BTC") not in found
    assert any("there is no funding tape" in note for note in report.notes)


def test_an_unknown_contract_size_is_refused_by_name(imported):
    with pytest.raises(DataError, match="contract size of BTC-USDC-SWAP on okex-swap"):
        imported({"ticker.csv": OKX_TICKER})


def test_a_contract_size_may_be_said(imported):
    chosen = TardisChoice(instrument="BTC-PERP", size=Size(Unit.COINS, 0.0001))
    report, tape = imported({"ticker.csv": OKX_TICKER}, chosen)["open_interest", "BTC"]
    assert report.key.venue == "okx"
    assert tape["open_interest"].to_list() == [1653109 * 0.0001]
    chosen = TardisChoice(instrument="BTC-PERP", size=Size(Unit.QUOTE, 10.0))
    later = OKX_TICKER.replace("16803", "16804")
    report, tape = imported({"later.csv": later}, chosen)["open_interest", "BTC"]
    assert report.kept == 1
    assert tape["open_interest"].to_list() == [1653109 * 0.0001, 1653109 * 10.0 / 28479]


def test_a_contract_size_that_is_known_is_not_taken_from_elsewhere(imported):
    with pytest.raises(DataError, match="is known"):
        imported({"trades.csv": TRADES}, TardisChoice(size=Size(Unit.COINS, 2.0)))


def payments(*rows):
    """Return a ticker of rows (seconds before midnight, payment in hours after it, rate)."""
    midnight = 1_680_307_200
    lines = [
        f"binance-futures,BTCUSDT,{round((midnight - before) * 1e6)},"
        f"{round((midnight - before + 0.1) * 1e6)},{round((midnight + hours * 3600) * 1e6)},"
        f"{rate},,5,1,1,1\n"
        for before, hours, rate in rows
    ]
    return TICKER_HEADER + "".join(lines)


def test_funding_is_the_rate_stated_last_before_each_payment(imported):
    text = payments(
        (8 * 3600 + 30, -8, 0.0001),
        (8 * 3600 + 0.05, -8, 0.0002),
        (8 * 3600 - 0.01, -8, 0.0009),  # after the payment: says nothing of it
        (8 * 3600 - 1, 0, 0.0003),
        (20, 0, -0.0004),
        (10, 8, 0.0005),  # paid long after the file ends
    )
    report, tape = imported({"ticker.csv": text})["funding", "BTC"]
    midnight = datetime(2023, 4, 1, tzinfo=UTC)
    assert tape["ts"].to_list() == [midnight - timedelta(hours=8), midnight]
    assert tape["rate"].to_list() == [0.0002, -0.0004]
    assert tape["hours"].to_list() == [8.0, 8.0]
    # 0.05 s before the payment plus 0.1 s on the way: after it
    assert tape["known_at"][0] == midnight - timedelta(hours=8) + timedelta(seconds=0.05)
    assert tape["known_at"][1] == midnight
    assert any("1 payments of funding were left out" in note for note in report.notes)


def test_hours_between_payments_are_whole_numbers_where_the_payments_are_whole_hours_apart(
    imported,
):
    text = payments((15 * 3600 + 1, -15, 0.0001), (1, 0, 0.0002))
    _, tape = imported({"ticker.csv": text})["funding", "BTC"]
    assert tape["hours"].to_list() == [15.0, 15.0]  # by the reciprocal 15.000000000000002


def test_option_trades_take_the_forward_of_their_expiry_known_by_then(imported, catalog):
    report, tape = imported({"legs_trades.csv.gz": LEGS, "chain.csv.gz": LEGS_CHAIN})[
        "option_trades", "BTC"
    ]
    assert report.key.instrument == "BTC"
    assert tape.drop("sequence").schema == tape_schema(TapeKind.OPTION_TRADES)
    assert tape["contract"].to_list() == ["BTC-19MAY26-75000-C", "BTC-19MAY26-70000-C"]
    assert tape["lots"].to_list() == [1, 1]
    assert tape["aggressor"].to_list() == [1, -1]
    assert tape["price"].to_list() == [0.0174, 0.0813]
    assert tape["underlying_price"].to_list() == [76100.5, 76100.5]
    assert tape["iv"].null_count() == 2
    assert catalog.contracts("deribit", "BTC")["inverse"].all()


def test_a_forward_that_is_too_old_is_no_price(imported):
    old = LEGS_CHAIN.replace("1779118000", "1779117700")
    report, tape = imported({"trades.csv": LEGS, "chain.csv": old, "more_trades.csv": AFTER})[
        "option_trades", "BTC"
    ]
    assert report.rejected == {"NO_UNDERLYING_PRICE": 2}
    assert tape["underlying_price"].to_list() == [99999.0]


AFTER = LEGS.splitlines()[0] + (
    "\nderibit,BTC-19MAY26-70000-C,1779118042000000,1779118042010000,244365199,sell,0.08,0.1\n"
)


def test_without_a_chain_option_trades_take_the_bars(imported, catalog, tmp_path):
    minute = datetime(2026, 5, 18, 15, 20, tzinfo=UTC)
    path = written(file_bars(8, start=minute), tmp_path, "bars.parquet")
    import_bars(path, catalog, instrument="BTC-PERP", venue="binance")
    _, tape = imported({"trades.csv": LEGS})["option_trades", "BTC"]
    # the print is at 15:27:21: the bar of 15:26 closes at 107 and is known at 15:27
    assert tape["underlying_price"].unique().to_list() == [107.0]


def test_without_a_chain_or_bars_option_trades_are_refused(imported):
    with pytest.raises(DataError, match="options_chain file of the same day"):
        imported({"trades.csv": LEGS})


def test_quotes_given_beside_a_chain_are_the_ones_that_count(imported):
    quotes = QUOTES.splitlines()[0] + (
        "\nderibit,BTC-9JUN20-9875-P,1591574399413000,1591574400196008,15.2,0.0235,0,0\n"
    )
    found = imported({"chain.csv": CHAIN, "quotes.csv": quotes})
    report, tape = found["option_quotes", "BTC"]
    assert report.source == "quotes.csv"
    assert tape.select("bid", "bid_size", "ask", "ask_size").row(0) == (None, None, 0.0235, 15.2)
    assert found["option_quotes", "ETH"][0].source == "chain.csv"
    assert found["open_interest", "BTC"][1].height == 2


def test_files_of_one_day_make_one_import_and_days_stay_apart(file, catalog):
    one, other = TRADES.splitlines()[:2], [TRADES.splitlines()[0], *TRADES.splitlines()[2:]]
    paths = [file("b_trades.csv", "\n".join(one)), file("a_trades.csv", "\n".join(other))]
    paths.append(file("c_trades.csv", TRADES.replace("158232", "158252").replace(",42", ",43")))
    first, second = import_tardis(paths, catalog)
    assert (first.source, first.kept, second.source) == (
        "a_trades.csv and 1 more",
        3,
        "c_trades.csv",
    )
    again = import_tardis(paths, catalog)
    assert [each.already_imported for each in again] == [True, True]
    assert catalog.read(BINANCE_KEY).height == 6


def test_rows_are_put_in_the_order_of_their_stamps(imported):
    lines = TRADES.splitlines()
    text = "\n".join([lines[0], lines[2], lines[1], lines[3]])
    report, tape = imported({"trades.csv": text})["hedge_trades", "BTC"]
    assert tape["trade_id"].to_list() == ["42377951", "42377952", "42377953"]
    assert any("1 rows of the files arrived after later ones" in note for note in report.notes)


@pytest.mark.parametrize("text", [CHAIN, TRADES, QUOTES])
def test_the_size_of_a_batch_changes_nothing(file, tmp_path, text):
    path = file("trades.csv.gz", text)
    kept = []
    for size in (300, 1 << 25):
        catalog = Catalog.create_or_open(tmp_path / str(size))
        import_tardis([path], catalog, batch_bytes=size)
        kept.append([catalog.read(key) for key in [each.key for each in catalog.imports()]])
    assert len(kept[0]) == len(kept[1])
    assert all(small.equals(large) for small, large in zip(*kept, strict=True))


def test_one_underlying_may_be_chosen(imported):
    found = imported({"chain.csv": CHAIN}, TardisChoice(underlying="ETH"))
    assert {coin for _, coin in found} == {"ETH"}
    assert any("5 rows of other underlyings" in n for n in found["option_quotes", "ETH"][0].notes)


def test_what_makes_no_tape_is_left_out_by_name(imported):
    linear = CHAIN.replace("ETH-9JUN20-300-C", "AVAX_USDC-29MAY26-8D6-P")
    report, _ = imported({"chain.csv": linear})["option_quotes", "BTC"]
    left_out = "1 rows of linear options, such as AVAX_USDC-29MAY26-8D6-P, were left out."
    assert left_out in report.notes
    with pytest.raises(DataError, match=r"no row makes a tape.*other underlyings"):
        imported({"chain.csv": CHAIN}, TardisChoice(underlying="SOL"))


@pytest.mark.parametrize(
    ("text", "old", "new", "reason"),
    [
        (TRADES, "9681.62,0.001", "9681.62,-0.001", "NON_POSITIVE_QUANTITY"),
        (TRADES, "9681.62,0.001", "-9681.62,0.001", "NON_POSITIVE_PRICE"),
        (TRADES, "9681.62,0.001", ",0.001", "MISSING_VALUE"),
        (TRADES, "sell", "hold", "UNKNOWN_DIRECTION"),
        (QUOTES, "9682,9681.83", "9681,9681.83", "CROSSED_QUOTE"),
    ],
)
def test_impossible_rows_are_rejected(imported, text, old, new, reason):
    ((report, _),) = imported({"trades.csv": text.replace(old, new)}).values()
    assert report.rejected == {reason: 1}
    assert report.read == 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("0.0174,0.1", "0.0174,0.15", "FRACTIONAL_LOT"),
        ("0.0174,0.1", "0.0174,-0.1", "NON_POSITIVE_QUANTITY"),
        ("75000-C,1779118041757000", "75000-C,1779177600000000", "AFTER_EXPIRY"),
    ],
)
def test_impossible_option_trades_are_rejected(imported, old, new, reason):
    text = LEGS.replace(old, new)
    report, _ = imported({"trades.csv": text, "chain.csv": LEGS_CHAIN})["option_trades", "BTC"]
    assert report.rejected == {reason: 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("call,10000,1591689600000000", "call,10500,1591689600000000"),
        ("call,10000,1591689600000000", "call,10000,1591693200000000"),
        ("call,10000,1591689600000000", "put,10000,1591689600000000"),
    ],
)
def test_terms_that_contradict_the_symbol_are_rejected(imported, catalog, old, new):
    report, _ = imported({"chain.csv": CHAIN.replace(old, new)})["open_interest", "BTC"]
    assert report.rejected == {"SYMBOL_MISMATCH": 1}
    rejects = pl.read_parquet(catalog.path / "rejects" / f"{report.import_id}.parquet")
    assert '"symbol":"BTC-9JUN20-10000-C"' in rejects["record"][0]


def test_an_unknown_side_is_not_known(imported):
    _, tape = imported({"trades.csv": TRADES.replace("sell", "unknown")})["hedge_trades", "BTC"]
    assert tape["aggressor"].to_list() == [1, 0, 1]


def test_trades_without_ids_are_kept_and_counted(imported):
    report, tape = imported({"trades.csv": TRADES.replace("42377951", "")})["hedge_trades", "BTC"]
    assert report.null_ids == 1
    assert tape["trade_id"][0] is None


BOOK = """exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
deribit,BTC-PERPETUAL,1585699200245000,1585699200355684,true,ask,6421.5,18640
"""
SNAPSHOT = "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("trades.csv", BOOK, "order book"),
        ("trades.csv", SNAPSHOT, "order book"),
        ("trades.csv", TRADES.replace("amount", "size", 1), "none of Tardis's"),
        ("trades.csv", "a,b\n1,2\n", "none of Tardis's"),
        ("trades.csv", "", "the file is empty"),
        ("trades.csv.gz", "", "the file is empty"),
        ("trades.csv", TRADES.splitlines()[0] + "\n", "no rows"),
        ("trades.csv", TRADES.replace("9681.62", "dear"), "column 'price', row 1: 'dear'"),
        ("trades.csv", TRADES.replace("604065000", "604065000.5"), "column 'timestamp', row 1"),
        ("trades.csv", TRADES + "okex-swap,BTC,1582329604329000,1582329604450832,,buy,1,1\n",
         "rows of okex-swap follow rows of binance-futures"),
        ("trades.csv", TRADES + "binance-futures,BTCUSDT,1582", "after row 2 has not the columns"),
        ("trades.csv", TRADES + "binance-futures,BTCUSDT,,,,,,\n", "a row has no timestamp"),
        ("trades.csv", TRADES.replace("000,15823", ",15823"), "looks like milliseconds"),
        ("trades.csv", XBTUSD.replace("145000", "145000000"), "looks like nanoseconds"),
        ("binance-futures_liquidations_2020.csv", TRADES, "liquidations are no tape"),
        ("BTCUSDT.csv", TRADES, "trades and liquidations have the same header"),
        ("chain.csv", CHAIN.replace("deribit,", "okex-options,"), "options on okex-options"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_tardis_is_refused(file, catalog, name, content, said):
    with pytest.raises(DataError, match=said):
        import_tardis([file(name, content)], catalog)
    assert catalog.keys() == []


@pytest.mark.parametrize("cut", [10, 60])
def test_a_truncated_gzip_is_refused(file, catalog, cut):
    path = file("trades.csv.gz", TRADES)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match="truncated or damaged"):
        import_tardis([path], catalog)
    assert catalog.keys() == []


def test_a_file_given_twice_is_refused(file, catalog):
    paths = [file("a_trades.csv", TRADES), file("b_trades.csv", TRADES)]
    with pytest.raises(DataError, match=r"b_trades.csv: it holds the same as a_trades.csv"):
        import_tardis(paths, catalog)


def test_a_stamp_of_long_ago_covers_nothing(imported):
    stale = QUOTES.replace("1582329601096000", "1582229601096000")
    moved = stale.replace("15823296", "15823696")  # from 00:00 to 11:06
    report, tape = imported({"quotes.csv": moved})["hedge_quotes", "BTC"]
    first, *_ = report.coverage.intervals
    assert first[0] == 1582369603401000 * 1000
    assert tape["ts"][0] == datetime(2020, 2, 22, tzinfo=UTC)


def test_hours_are_not_guessed_where_a_payment_may_be_missing(imported):
    text = payments((24 * 3600 + 1, -24, 0.1), (16 * 3600 + 1, -16, 0.2), (1, 0, 0.3))
    # cut by arrival these are two days: they are given as one file
    _, tape = imported({"ticker.csv": text})["funding", "BTC"]
    assert tape["hours"].to_list() == [8.0, 8.0, None]


def test_a_file_that_is_not_there_is_refused(tmp_path, catalog):
    with pytest.raises(DataError, match="no such file"):
        import_tardis([tmp_path / "no.csv.gz"], catalog)


def test_trades_may_be_named_by_folder_or_said(file, tmp_path, catalog):
    folder = tmp_path / "deribit" / "trades" / "2020"
    folder.mkdir(parents=True)
    moved = file("BTCUSDT.csv", TRADES).rename(folder / "BTCUSDT.csv")
    assert import_tardis([moved], catalog)[0].kept == 3
    other = file("BTCUSDT.csv", TRADES.replace("158232", "158252").replace(",42", ",43"))
    assert import_tardis([other], catalog, TardisChoice(data_type=DataType.TRADES))[0].kept == 3
