"""What paths of a Lean folder mean, in which zone and scale, and why others are not used."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath

import pytest

from hedgeflow.sources.lean.layout import Asset, Content, lean_file
from hedgeflow.sources.lean.members import future_symbol, underlying_of
from hedgeflow.sources.lean.report import NotUsed


@pytest.mark.parametrize(
    ("path", "asset", "content", "underlying", "zone", "scale"),
    [
        (
            "equity/usa/minute/aapl/20140606_trade.zip",
            Asset.EQUITY,
            Content.TRADES,
            "AAPL",
            "America/New_York",
            10_000.0,
        ),
        (
            "option/usa/minute/aapl/20140606_openinterest_american.zip",
            Asset.OPTION,
            Content.OPEN_INTEREST,
            "AAPL",
            "America/New_York",
            10_000.0,
        ),
        (
            "indexoption/usa/minute/spxw/20140606_trade_european.zip.zip",
            Asset.INDEX_OPTION,
            Content.TRADES,
            "SPX",
            "America/New_York",
            10_000.0,
        ),
        (
            "index/usa/minute/spx/20140606_trade.zip",
            Asset.INDEX,
            Content.TRADES,
            "SPX",
            "America/Chicago",
            1.0,
        ),
        (
            "future/cme/minute/es/20140606_quote.zip",
            Asset.FUTURE,
            Content.QUOTES,
            "ES",
            "UTC",
            1.0,
        ),
        (
            "futureoption/cme/minute/es/202003/20140606_quote_american.zip",
            Asset.FUTURE_OPTION,
            Content.QUOTES,
            "ES",
            "UTC",
            1.0,
        ),
        (
            "indexoption/usa/universes/spx/20140606.csv",
            Asset.INDEX_OPTION,
            Content.UNIVERSE,
            "SPX",
            "America/New_York",
            10_000.0,
        ),
    ],
)
def test_a_path_says_what_a_file_holds(path, asset, content, underlying, zone, scale):
    file = lean_file(PurePosixPath(path))
    assert (file.path, file.asset, file.content) == (path, asset, content)
    assert (underlying_of(file), file.day) == (underlying, date(2014, 6, 6))
    assert (file.rules.zone, file.rules.price_scale) == (zone, scale)
    assert file.month == ("202003" if asset is Asset.FUTURE_OPTION else "")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("readme.md", "holds no prices"),
        ("market-hours/market-hours-database.json", "'market-hours' holds no prices"),
        ("crypto/binance/minute/btcusdt/20140606_trade.zip", "'crypto' holds no prices"),
        ("bonds/usa/minute/t/20140606_trade.zip", "'bonds' is no asset class"),
        ("future/cme/margins/ES.csv", "margin requirements"),
        ("equity/usa/factor_files/aapl.csv", "'factor_files' hold no trades"),
        ("equity/usa/daily/aapl.zip", "resolution 'daily': only minute"),
        ("equity/usa/hour/aapl.zip", "resolution 'hour': only minute"),
        ("equity/usa/second/aapl/20140606_trade.zip", "resolution 'second': only minute"),
        ("equity/usa/tick/aapl/20140606_trade.zip", "resolution 'tick': only minute"),
        ("equity/usa/universes/etf/spy/20140606.csv", "contracts that are no options"),
        ("equity/readme.md", "unknown layout"),
        ("equity/usa/readme.md", "unknown layout"),
        ("equity/usa/minute/aapl.zip", "unknown layout"),
        ("equity/usa/weekly/aapl/20140606_trade.zip", "unknown layout"),
        ("equity/usa/minute/aapl/20140631_trade.zip", "unknown layout"),
        ("equity/usa/minute/aapl/16990606_trade.zip", "unknown layout"),
        ("equity/usa/minute/aapl/20140606_trades.zip", "unknown layout"),
        ("equity/usa/minute/aapl/202003/20140606_trade.zip", "unknown layout"),
        ("futureoption/cme/minute/es/20140606_trade_american.zip", "unknown layout"),
        ("futureoption/cme/minute/es/20200320/20140606_trade_american.zip", "unknown layout"),
        ("option/usa/universes/aapl/20140606.zip", "unknown layout"),
        ("option/india/minute/nifty/20140606_trade_european.zip", "market 'india' of option"),
        ("index/usa/minute/ndx/20140606_trade.zip", "sessions of index 'ndx' are not known"),
    ],
)
def test_what_no_tape_can_be_made_of_says_why(path, words):
    with pytest.raises(NotUsed, match=words):
        lean_file(PurePosixPath(path))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("future/cme/minute/gc/20140606_trade.zip", "multiplier of GC futures is not known"),
        (
            "indexoption/usa/minute/oex/20140606_trade_american.zip",
            "which index options of root OEX are on is not known",
        ),
    ],
)
def test_an_instrument_that_is_not_known_is_not_guessed(path, words):
    with pytest.raises(NotUsed, match=words):
        underlying_of(lean_file(PurePosixPath(path)))


@pytest.mark.parametrize(
    ("month", "symbol"), [("202003", "ESH20"), ("201312", "ESZ13"), ("202101", "ESF21")]
)
def test_a_future_is_named_by_its_delivery_month(month, symbol):
    assert future_symbol("ES", month) == symbol
