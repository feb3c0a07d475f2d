"""What the slow reference finds on a recorded market equals what the specification states."""

import math
from datetime import date
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from reference.slow_shock import Event, detect, preset
from reference.slow_tape import DAY_NS, MINUTE_NS, SLOT_NS, Print, v5_by_session
from reference.tapes import deribit_prints, perpetual_bars

FROM_MAY = (date(2025, 5, 4) - date(1970, 1, 1)).days


@pytest.fixture(scope="module")
def prints(market_data: Path) -> list[Print]:
    return deribit_prints(market_data)


def test_source_rules_with_complex_orders_included_find_352_anomalies(prints):
    rules = preset("source", complex_orders="include")
    found = detect(prints, rules)
    assert len(found.anomalies) == 352
    assert sum(2 * a.complex_lots > a.recent_lots for a in found.anomalies) == 283
    assert found.refused_by_ratio == 1  # once in 353 candidates
    assert all(min(0.95, a.ratio / 10) == 0.95 for a in found.anomalies)
    assert found.alerts("contract") == found.alerts("event") == []

    adjusted = detect(prints, preset("source", complex_orders="include", premium_adjusted=True))
    share = median(
        abs(a.demand - b.demand) / abs(b.demand)
        for a, b in zip(adjusted.anomalies, found.anomalies, strict=True)
    )
    assert share == pytest.approx(0.06, abs=0.005)


def test_the_quantile_floor_finds_2435_anomalies_where_100_contracts_find_150(prints, market_data):
    bars = perpetual_bars(market_data / "perp-bars" / "binance_BTCUSDT_1m.parquet")
    scale = v5_by_session(bars, MINUTE_NS, {p.ts_ns // DAY_NS for p in prints})
    quantile = detect(prints, preset("normalized"), scale)
    contracts = detect(prints, preset("normalized", volume_floor="contracts"), scale)
    assert [
        sum(a.ts_ns // DAY_NS >= FROM_MAY for a in found.anomalies)
        for found in (contracts, quantile)
    ] == [150, 2_435]
    assert len(quantile.events) == 1_031
    assert len(quantile.alerts("event")) == 275
    assert len(quantile.contract_alerts) == 602


def test_the_two_hedge_venues_differ_fifteenfold(market_data):
    halves = {}
    for name in ("binance_BTCUSDT_1m", "bybit_BTCUSDT_5m"):
        slots: dict[int, float] = {}
        for start, volume in perpetual_bars(market_data / "perp-bars" / f"{name}.parquet"):
            slots[start // SLOT_NS] = slots.get(start // SLOT_NS, 0.0) + volume
        halves[name] = median(slots.values())
    assert halves["binance_BTCUSDT_1m"] == pytest.approx(360, abs=1)
    assert halves["bybit_BTCUSDT_5m"] == pytest.approx(24, abs=0.5)


def test_identical_rows_without_an_id_are_counted(market_data):
    rows = pl.read_parquet(market_data / "deribit-trades" / "btc_option_trades.parquet")
    assert rows["trade_id"].null_count() == 16_369
    assert rows.height - rows.unique().height == 1_255
    assert (rows["iv_pct"] == 0).sum() == 61


def _burst(minute: int, lots: int, sign: int = 1, **ids: str) -> Print:
    ts_ns = 20_000 * DAY_NS + minute * MINUTE_NS
    expiry_ns = 20_030 * DAY_NS
    return Print(ts_ns, "C", "C", 100.0, expiry_ns, math.nan, lots, sign, 0.5, 100.0, **ids)


def test_silence_rearms_a_contract_and_continued_trading_does_not():
    rules = preset("source")
    steady = [_burst(m, 1_100) for m in (1, 2, 3)]
    assert len(detect(steady, rules).anomalies) == 1
    assert len(detect([*steady, _burst(8, 1_100)], rules).anomalies) == 2


def test_an_event_lives_five_minutes_after_its_latest_anomaly_and_thirty_in_all():
    event = Event(first_ns=0, latest_ns=28 * MINUTE_NS)
    assert event.is_open(30 * MINUTE_NS)
    assert not event.is_open(31 * MINUTE_NS)
    assert not Event(first_ns=0, latest_ns=0).is_open(5 * MINUTE_NS)


def test_legs_joined_by_either_id_are_one_order_at_the_lead_leg():
    near = _burst(1, 20, combo_id="x")
    far = _burst(1, 30, sign=-1, combo_id="x", block_id="y")._replace(contract="D", strike=200.0)
    more = _burst(1, 5, block_id="y")._replace(contract="E", strike=150.0)
    included = detect([near, far, more], preset("source", complex_orders="include")).tape
    netted = detect([near, far, more], preset("source")).tape
    assert [(row.contract, row.lots) for row in netted] == [("C", 20)]
    assert netted[0].demand == pytest.approx(sum(row.demand for row in included))
