"""What an explanation shows of an alert: quotes, signs, deltas, and where its baseline is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from builders.stock_market import (
    CALL,
    PUT,
    option_print,
    session_open,
    shock,
    stock_catalog,
    store_bars,
    store_days,
    store_hedge_quotes,
    store_options,
)
from hedgeflow.journal import Journal
from hedgeflow.market.catalog import Catalog
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies import load_market
from hedgeflow.studies.backtesting import scan_to_journal
from hedgeflow.studies.explaining import Explanation, explain_alert

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = VolumeShockConfig.source()
DAYS = (-4, -3, -2, -1)


def explained(catalog: Catalog, folder: Path, config: VolumeShockConfig = SOURCE) -> Explanation:
    """Scan and explain the one alert."""
    with Journal.open(folder / "journal.sqlite") as journal:
        market = load_market(catalog, "AAPL", config, must_trade=False)
        _, result = scan_to_journal(market, config, journal)
        (alert,) = result.alerts["alert_id"].to_list()
        return explain_alert(catalog, journal, alert)


def quoted(minute: int, **changes: object) -> dict[str, object]:
    return option_print(minute, lots=40, bid=11.9, ask=12.3) | changes


def test_the_hedges_own_quotes_stand_where_the_tape_has_no_option_quotes(tmp_path):
    catalog = stock_catalog(tmp_path)
    store_hedge_quotes(catalog, {58: (644.0, 645.0), 60: (644.5, 645.5), 61: (900.0, 901.0)})
    found = explained(catalog, tmp_path)
    prints = found.prints
    assert prints["bid"].null_count() == prints.height == 3
    # A quote bar is known at its end: the bar of minute 60 is news at minute 61.
    assert prints["hedge_bid"].to_list() == [644.0, 644.5, 900.0]
    assert prints["hedge_ask"].to_list() == [645.0, 645.5, 901.0]
    assert (prints["hedge_known_at"] <= prints["ts"]).all()
    assert "The tape has no option quotes at these prints." in found.notes
    assert any("best bid and ask of AAPL known at the print" in note for note in found.notes)


def test_without_any_quotes_that_is_said(tmp_path):
    found = explained(stock_catalog(tmp_path), tmp_path)
    assert found.prints["hedge_bid"].null_count() == 3
    assert len(found.notes) == 2
    assert "no quotes of AAPL known at these prints" in found.notes[1]


def test_quotes_of_the_option_are_shown_and_sign_its_prints(tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    rows = [option_print(0), quoted(60, price=12.2), quoted(61, price=12.2), quoted(62, price=12.0)]
    store_options(catalog, rows)
    store_bars(catalog)
    found = explained(catalog, tmp_path)
    assert found.prints["bid"].to_list() == [11.9] * 3
    assert found.prints["rule"].to_list() == ["QUOTE"] * 3
    assert found.prints["sign"].to_list() == [1.0, 1.0, -1.0]
    assert found.signing == [{"rule": "QUOTE", "share": 1.0, "probability": 0.80}]
    assert not any("no option quote" in note for note in found.notes)


def test_prints_without_quotes_are_counted_where_others_have_them(tmp_path):
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    rows = [option_print(0), quoted(60, price=12.2), option_print(61, lots=70, price=12.3)]
    store_options(catalog, rows)
    store_bars(catalog)
    found = explained(catalog, tmp_path)
    assert "The tape has no option quote at 1 of 2 prints." in found.notes


def test_tick_rule_prints_show_their_rule_and_probability(tmp_path):
    found = explained(stock_catalog(tmp_path), tmp_path)
    assert found.prints["rule"].to_list() == ["TICK"] * 3
    assert found.prints["probability"].to_list() == [0.75] * 3
    assert found.signing == [{"rule": "TICK", "share": 1.0, "probability": 0.75}]
    demand = found.prints["sign"] * found.prints["contracts"] * found.prints["delta"] * 100.0
    assert found.prints["demand"].to_list() == pytest.approx(demand.to_list())
    assert found.alert["demand"] == pytest.approx(demand.sum())


def test_a_baseline_from_days_names_the_sessions_and_their_volumes(tmp_path):
    catalog = stock_catalog(tmp_path)
    volumes = dict(zip(DAYS, (1_560, 0, 3_120, 1_560), strict=True))
    store_days(catalog, {day: {CALL: lots, PUT: 1} for day, lots in volumes.items()})
    (member,) = explained(catalog, tmp_path).members
    assert member["baseline"] == "DAYS"
    assert member["baseline_contracts"] == 20.0
    assert member["baseline_days"] == [
        {"session": "2014-06-02", "contracts": 1_560.0, "slots": 78},
        {"session": "2014-06-03", "contracts": 0.0, "slots": 78},
        {"session": "2014-06-04", "contracts": 3_120.0, "slots": 78},
        {"session": "2014-06-05", "contracts": 1_560.0, "slots": 78},
    ]


def test_other_baselines_name_no_sessions(tmp_path):
    (member,) = explained(stock_catalog(tmp_path), tmp_path).members
    assert member["baseline"] == "FLOOR"
    assert "baseline_days" not in member


def test_days_that_come_later_make_it_another_data_set(tmp_path):
    """The alert was made without them, so that its baseline can no longer be shown."""
    catalog = stock_catalog(tmp_path)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        _, result = scan_to_journal(load_market(catalog, "AAPL", SOURCE), SOURCE, journal)
        store_days(catalog, {day: {CALL: 7_800} for day in DAYS})
        with pytest.raises(HedgeflowError, match="made from other data"):
            explain_alert(catalog, journal, result.alerts["alert_id"][0])


def test_the_prints_are_those_since_the_window_began(tmp_path):
    catalog = stock_catalog(tmp_path)
    found = explained(catalog, tmp_path)
    (member,) = found.members
    stamps = found.prints["ts"].dt.epoch("ns")
    assert member["since_ns"] == session_open() + 57 * MINUTE_NS
    assert stamps.to_list() == [row["ts"] for row in shock()[3:]]
    assert found.prints["contracts"].sum() == member["contracts"] == 120.0
    assert isinstance(found.prints.schema["hedge_known_at"], pl.Datetime)


def test_prints_before_the_bell_are_no_part_of_an_alert(tmp_path):
    """They lie in the window, and the scan left them out."""
    catalog = Catalog.create_or_open(tmp_path / "catalog")
    early = option_print(-1, lots=500, price=11.0)
    bought = [option_print(minute, lots=60, price=12.0 + minute) for minute in (0, 1)]
    store_options(catalog, [early, *bought])
    store_bars(catalog)
    found = explained(catalog, tmp_path)
    (member,) = found.members
    assert member["since_ns"] < session_open() - MINUTE_NS
    assert found.prints["contracts"].to_list() == [60.0, 60.0]
    assert found.prints["sign"].to_list() == [0.0, 1.0]
    assert found.alert["demand"] == pytest.approx(found.prints["demand"].sum())
