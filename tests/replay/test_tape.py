"""Hedge tapes: what is known when, sessions, volumes; ticks and the close."""

from __future__ import annotations

import polars as pl
import pytest

from hedgeflow.market.contracts import HedgeKind, hedge_instrument
from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.time import HOUR_NS, MINUTE_NS, SECOND_NS
from hedgeflow.replay import HedgeTape, replay_alerts
from hedgeflow.strategies.settings import Costs
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig

BTC = hedge_instrument("BTC-PERP", "binance")
AAPL = hedge_instrument("AAPL", "nasdaq", HedgeKind.STOCK)
CONFIG = VolumeShockConfig()


def test_a_bar_is_known_at_its_end(make_tape, day):
    tape = make_tape({0: (1.0, 2.0, 1.0, 1.5)}, before=0)
    assert tape.price_known_at(day + MINUTE_NS - 1) is None
    assert tape.price_known_at(day + MINUTE_NS) == 1.5


def test_the_previous_sessions_volume_is_known_only_when_it_has_closed(make_tape, day):
    tape = make_tape(volume=2.0, minutes=1_440)
    assert tape.previous_volume_contracts(day - 1) is None
    assert tape.previous_volume_contracts(day + HOUR_NS) == 2_880.0


def test_a_session_with_a_hole_has_no_volume(make_tape, day):
    tape = make_tape(volume=2.0, drop=range(-700, -600))
    assert tape.previous_volume_contracts(day + HOUR_NS) is None


def test_a_stocks_volume_is_counted_in_standard_contracts_of_100(day):
    frame = stock_bars(day, 3 * 24 * 60)
    tape = HedgeTape.from_bars(frame, AAPL, MINUTE_NS)
    assert tape.previous_volume_contracts(day + 36 * HOUR_NS) == 390 * 1_000.0 / 100


def test_an_index_has_no_tape_to_trade_on(make_frame):
    with pytest.raises(ConfigError, match="SPX is an index"):
        HedgeTape.from_bars(make_frame(before=0), hedge_instrument("SPX", "usa"), MINUTE_NS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.clear(), "no bars"),
        (lambda frame: frame.reverse(), "do not ascend"),
        (lambda frame: frame.drop("close"), "no column close"),
        (lambda frame: frame.rename({"ts": "time"}), "no column ts"),
        (lambda frame: frame.with_columns(high=pl.lit(float("nan"))), "high is not a number"),
    ],
)
def test_a_malformed_table_is_refused(make_frame, change, words):
    with pytest.raises(DataError, match=words):
        HedgeTape.from_bars(change(make_frame(before=0)), BTC, MINUTE_NS)


def test_stamps_may_be_datetimes_of_any_unit(make_frame, day):
    frame = make_frame(before=0).with_columns(
        pl.from_epoch("ts", time_unit="ns").dt.cast_time_unit("us").dt.replace_time_zone("UTC")
    )
    tape = HedgeTape.from_bars(frame, BTC, MINUTE_NS)
    assert tape.first_ns == day


def stock_bars(day, minutes):
    """Return minute bars of a stock, all hours, at 200."""
    return pl.DataFrame({"ts": [day + i * MINUTE_NS for i in range(minutes)]}).with_columns(
        open=pl.lit(200.0),
        high=pl.lit(200.1),
        low=pl.lit(199.9),
        close=pl.lit(200.0),
        volume=pl.lit(1_000.0),
    )


def stock_alert(make_alerts, minute):
    return make_alerts({"minute": minute, "underlying": "AAPL", "point": 0.05})


CLOSE_MINUTE = 20 * 60  # 16:00 in New York on 2025-04-10 is 20:00 UTC


def test_a_position_is_flat_30_minutes_before_the_close(make_alerts, day):
    tape = HedgeTape.from_bars(stock_bars(day, 24 * 60), AAPL, MINUTE_NS)
    result = replay_alerts(stock_alert(make_alerts, CLOSE_MINUTE - 34), tape, CONFIG)
    [trade] = result.trades.to_dicts()
    assert trade["exit_reason"] == "EXIT_FLAT_BEFORE_CLOSE"
    assert trade["exit_ns"] == day + (CLOSE_MINUTE - 30) * MINUTE_NS
    assert not any("around the clock" in note for note in result.notes)


@pytest.mark.parametrize(
    ("minutes_left", "reason"),
    [(30, "NEAR_CLOSE"), (30.5, "NEAR_CLOSE"), (0, "MARKET_CLOSED"), (-60, "MARKET_CLOSED")],
)
def test_near_or_after_the_close_nothing_opens(make_alerts, day, minutes_left, reason):
    tape = HedgeTape.from_bars(stock_bars(day, 24 * 60), AAPL, MINUTE_NS)
    result = replay_alerts(stock_alert(make_alerts, CLOSE_MINUTE - minutes_left), tape, CONFIG)
    assert result.decisions["reason_code"].to_list() == [reason]


def quotes(day, rows):
    """Return quotes of (second, bid, ask)."""
    return pl.DataFrame(
        {
            "ts": [day + round(second * SECOND_NS) for second, _, _ in rows],
            "bid": [bid for _, bid, _ in rows],
            "ask": [ask for _, _, ask in rows],
        },
        schema={"ts": pl.Int64, "bid": pl.Float64, "ask": pl.Float64},
    )


def test_a_decision_reads_no_quote_before_it_was_known(day):
    known_at = [day + late * SECOND_NS for late in (1, 5, 3)]  # the last overtook the second
    frame = quotes(day, [(0, 99, 101), (1, 199, 201), (2, 299, 301)]).with_columns(
        pl.from_epoch(pl.Series("known_at", known_at), time_unit="ns").dt.replace_time_zone("UTC")
    )
    tape = HedgeTape.from_ticks(None, frame, BTC)
    assert tape.price_known_at(day + SECOND_NS - 1) is None
    assert tape.price_known_at(day + SECOND_NS) == 100
    assert tape.price_known_at(day + 5 * SECOND_NS - 1) == 100
    assert tape.quote_age_seconds(day + 5 * SECOND_NS - 1) == pytest.approx(5)
    assert tape.price_known_at(day + 5 * SECOND_NS) == 300
    assert tape.quote_age_seconds(day + 5 * SECOND_NS) == 3


def test_with_quotes_a_long_enters_at_the_ask_leaves_at_the_bid_and_pays_no_spread_again(
    make_alerts, day
):
    tape = HedgeTape.from_ticks(
        None,
        quotes(
            day,
            [
                (598, 79_990, 80_010),
                (601, 79_995, 80_005),
                (620, 80_404, 80_414),
                (621, 80_405, 80_415),
                (622, 80_450, 80_460),
            ],
        ),
        BTC,
    )
    [trade] = replay_alerts(make_alerts({"minute": 10}), tape, CONFIG).trades.to_dicts()
    assert (trade["entry_price"], trade["exit_price"]) == (80_005.0, 80_450.0)
    assert trade["exit_reason"] == "EXIT_TARGET_HIT"
    assert trade["spread_usd"] == 0.0


@pytest.mark.parametrize(("age", "reason"), [(5.0, "PLANNED"), (5.1, "QUOTE_TOO_OLD")])
def test_a_quote_older_than_5_seconds_is_not_traded(make_alerts, day, age, reason):
    tape = HedgeTape.from_ticks(
        None, quotes(day, [(600 - age, 79_990, 80_010), (601, 79_990, 80_010)]), BTC
    )
    result = replay_alerts(make_alerts({"minute": 10}), tape, CONFIG)
    assert result.decisions["reason_code"].to_list() == [reason]


def test_without_quotes_a_trade_fills_at_the_next_last_price_and_pays_the_assumed_spread(
    make_alerts, day
):
    trades = pl.DataFrame(
        {
            "ts": [day + second * SECOND_NS for second in (590, 602, 700, 701, 702)],
            "price": [80_000.0, 80_001.0, 79_800.0, 80_000.0, 79_000.0],
            "size": [1.0] * 5,
        }
    )
    tape = HedgeTape.from_ticks(trades, None, BTC)
    config = VolumeShockConfig(costs=Costs(latency_ms=2_000.0))
    result = replay_alerts(make_alerts({"minute": 10}), tape, config)
    [trade] = result.trades.to_dicts()
    assert trade["entry_price"] == 80_001.0
    assert trade["exit_reason"] == "EXIT_STOP_HIT"
    assert trade["exit_price"] == 79_000.0
    assert trade["spread_usd"] > 0
    assert any("could not be tested" in note for note in result.notes)


def test_ticks_need_trades_or_quotes():
    with pytest.raises(DataError, match="neither trades nor quotes"):
        HedgeTape.from_ticks(None, None, BTC)
