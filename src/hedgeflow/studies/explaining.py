"""Everything behind one alert: the prints, how each was signed, its delta, and the baseline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from hedgeflow.journal import VaultError
from hedgeflow.market.errors import HedgeflowError
from hedgeflow.market.sessions import session_date
from hedgeflow.market.tapes import TapeKind, tape_schema
from hedgeflow.market.time import iso
from hedgeflow.signals.rules import BaselineOrigin, SigningRule
from hedgeflow.studies.backtesting import code_version
from hedgeflow.studies.scanning import in_sessions, shock_scan, signing_rules
from hedgeflow.studies.strategies import study_named, study_of
from hedgeflow.studies.vaults import visible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.journal import Journal
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.sessions import Sessions
    from hedgeflow.signals.scan import ShockScan
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market


@dataclass(frozen=True, slots=True)
class Explanation:
    """One alert and what it rests on.

    Attributes
    ----------
    alert : dict
        The journal's row, with its decisions and trades.
    signing : list of dict
        The rules that signed its prints, with their share of lots and probability.
    members : list of dict
        The contracts, each with its window, volume, demand and ratio, and the baseline and volume
        floor of its first anomaly in contracts, with the baseline's origin; a baseline from daily
        volumes with the sessions that it is the mean of, as `baseline_days`.
    prints : polars.DataFrame
        Every print of the members since their windows began: time, price, lots, quotes, the hedge
        instrument's best bid and ask known then, sign, rule, probability, delta, demand.
    notes : tuple of str
        What the tape does not have, in words.
    simulated : bool
        The run's data came from the simulator.
    """

    alert: dict[str, Any]
    signing: list[dict[str, Any]]
    members: list[dict[str, Any]]
    prints: pl.DataFrame
    notes: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True, slots=True)
class StrikeExplanation:
    """One alert at a strike and what it rests on.

    Attributes
    ----------
    alert : dict
        The journal's row, with its decisions and trades.
    contracts : list of dict
        Calls and puts of the strike, each in its own contracts: the last official figure and when
        it became known, what was traded since, customers' net buying since and in all.
    condition : dict
        The row of `CONDITION` that made the alert, with names for codes; `pressure_minutes` are
        those that pressure is divided by.
    model : str
        The probability that makes pressure.
    probabilities : dict of str to float or None
        Of all three models.
    basis : str
        Whence dealers' side is known, in words.
    side : str
        What is done at the strike, or why nothing is.
    notes : tuple of str
    simulated : bool
        The run's data came from the simulator.
    """

    alert: dict[str, Any]
    contracts: list[dict[str, Any]]
    condition: dict[str, Any]
    model: str
    probabilities: dict[str, float | None]
    basis: str
    side: str
    notes: tuple[str, ...]
    simulated: bool


@dataclass(frozen=True, slots=True, eq=False)
class AlertCase:
    """An alert of a journal, and the market and configuration that gave it.

    Attributes
    ----------
    alert : dict
        The journal's row, with its decisions and trades.
    config : StrategyConfig
    market : Market
        As far as it may be seen.
    catalog : Catalog
    simulated : bool
    """

    alert: dict[str, Any]
    config: Any
    market: Market
    catalog: Catalog
    simulated: bool


def explain_alert(
    catalog: Catalog, journal: Journal, alert_id: str, run_id: str | None = None
) -> Explanation | StrikeExplanation:
    """Return what an alert in the journal rests on, recomputed from the catalog.

    Raises
    ------
    JournalError
        No such alert, or several runs have it and none was named.
    VaultError
        The alert lies in or after a sealed vault.
    HedgeflowError
        The catalog no longer holds the data that the run read.
    """
    case = alert_case(catalog, journal, alert_id, run_id)
    return study_of(case.config).explain(case)


def alert_case(
    catalog: Catalog, journal: Journal, alert_id: str, run_id: str | None = None
) -> AlertCase:
    """Return an alert with the market that gave it; errors are those of `explain_alert`."""
    alert = journal.alert(alert_id, run_id or _run_of_this_code(journal, alert_id))
    runs = journal.runs().filter(pl.col("run_id") == alert["run_id"]).row(0, named=True)
    trials = journal.trials(runs["data_hash"]).filter(pl.col("config_hash") == runs["config_hash"])
    trial = json.loads(trials["config_json"][0])
    study = study_named(runs["strategy"])
    config = study.of_settings(trial["settings"])
    whole = study.load_market(catalog, runs["underlying"], config, must_trade=False)
    market = visible(whole, config, journal)
    if market.until_ns is not None and alert["triggered_ns"] >= market.until_ns:
        raise VaultError(
            f"alert {alert_id} lies in or after a sealed vault, which begins"
            f" {iso(market.until_ns)}",
            where=f"{runs['underlying']} options",
            hint="Open it with hedgeflow validate --open-vault, once everything is decided",
        )
    if (market.option_hash, market.hedge_hash) != (runs["data_hash"], trial["hedge_data"]):
        raise HedgeflowError(
            f"alert {alert_id} was made from other data than the catalog now holds",
            where=str(catalog.path),
            hint="Run the scan again, then explain one of its alerts",
        )
    return AlertCase(alert, config, market, catalog, bool(runs["simulated"]))


def explained(case: AlertCase) -> Explanation:
    """Return the prints behind a volume shock's alert, how each was signed, and the baselines."""
    alert, market, catalog = case.alert, case.market, case.catalog
    config: VolumeShockConfig = case.config
    members = json.loads(alert["members_json"])
    scan = shock_scan(market, config, market.reference(config))
    since = min(member["since_ns"] for member in members)
    before = pl.col("ts").dt.epoch("ns") <= since
    kept: list[pl.DataFrame] = []
    for frame in catalog.slices(market.options, end_ns=alert["triggered_ns"] + 1):
        scan.advance(frame.filter(before))
        kept.append(in_sessions(frame.filter(~before), market.sessions))
    window = pl.concat(kept)
    signed = scan.signed_prints(window)
    table = window.with_columns(
        sign=pl.Series(signed["sign"]).cast(pl.Int8),
        rule=pl.Series([SigningRule(code).name for code in signed["rule"].tolist()]),
        probability=pl.Series(signed["probability"]),
        delta=pl.Series(signed["delta"]),
        demand=pl.Series(signed["demand"]),
        contracts=pl.col("lots") * scan.book.lot,
    )
    starts = pl.DataFrame(
        {
            "contract": [member["contract"] for member in members],
            "since_ns": [member["since_ns"] for member in members],
        }
    )
    members_only = table.join(starts, on="contract", how="inner", maintain_order="left").filter(
        pl.col("ts").dt.epoch("ns") > pl.col("since_ns")
    )
    prints = with_hedge_quotes(members_only, market.quotes)
    anomalies = scan.advance(window).anomalies
    return Explanation(
        alert=alert,
        signing=signing_rules(alert["signing_json"], config),
        members=[_with_baseline(each, anomalies, scan, market.sessions) for each in members],
        prints=prints.select(
            "ts",
            "contract",
            "contracts",
            "price",
            "bid",
            "ask",
            "hedge_bid",
            "hedge_ask",
            "hedge_known_at",
            "iv",
            "underlying_price",
            "sign",
            "rule",
            "probability",
            "delta",
            "demand",
            "combo_id",
            "block_id",
        ),
        notes=tuple(_notes(prints, market.hedge.symbol)),
        simulated=case.simulated,
    )


def with_hedge_quotes(prints: pl.DataFrame, quotes: pl.DataFrame | None) -> pl.DataFrame:
    """Return prints with the hedge instrument's best bid and ask, and since when they were known.

    Null before the first quote and where there are none.

    Look-ahead: quotes with ``known_at`` up to the print's ``ts``.

    Parameters
    ----------
    prints : polars.DataFrame
        Sorted by `ts`.
    quotes : polars.DataFrame or None
        The hedge-quotes tape.
    """
    given = pl.DataFrame(schema=tape_schema(TapeKind.HEDGE_QUOTES)) if quotes is None else quotes
    known = given.sort("known_at", maintain_order=True).select(
        ts="known_at", hedge_bid="bid", hedge_ask="ask", hedge_known_at="known_at"
    )
    return prints.join_asof(known, on="ts", strategy="backward")


def _notes(prints: pl.DataFrame, hedge: str) -> list[str]:
    """Return in words which quotes are missing, and what stands there instead."""
    unquoted = prints.filter(pl.col("bid").is_null() & pl.col("ask").is_null()).height
    notes: list[str] = []
    if unquoted == prints.height:
        notes.append("The tape has no option quotes at these prints.")
    elif unquoted:
        notes.append(f"The tape has no option quote at {unquoted:,} of {prints.height:,} prints.")
    if prints["hedge_bid"].null_count() < prints.height:
        notes.append(
            f"hedge_bid and hedge_ask are the best bid and ask of {hedge} known at the print."
        )
    else:
        notes.append(f"The catalog has no quotes of {hedge} known at these prints.")
    return notes


def _run_of_this_code(journal: Journal, alert_id: str) -> str | None:
    """Return the one run of the present code that has an alert, None where that is not one."""
    having = journal.table("alerts").filter(pl.col("alert_id") == alert_id)["run_id"]
    runs = journal.runs().filter(
        pl.col("run_id").is_in(having.to_list()) & (pl.col("code_version") == code_version())
    )
    return str(runs["run_id"][0]) if runs.height == 1 else None


def _with_baseline(
    member: dict[str, Any], anomalies: NDArray[Any], scan: ShockScan, sessions: Sessions
) -> dict[str, Any]:
    """Return a member with the baseline and the volume floor of its first anomaly, contracts."""
    symbols = scan.book.symbols
    own = [row for row in anomalies if symbols[int(row["contract"])] == member["contract"]]
    if not own:
        return {**member, "baseline_contracts": None, "floor_contracts": None}
    explained = {
        **member,
        "baseline_contracts": float(own[0]["baseline_lots"]) * scan.book.lot,
        "floor_contracts": float(own[0]["floor_lots"]) * scan.book.lot,
    }
    if int(own[0]["origin"]) != BaselineOrigin.DAYS or scan.daily is None:
        return explained
    session = int(sessions.index_of(own[0]["ts"]))
    days = scan.daily.history(int(sessions.open_ns[session]), member["contract"])
    return explained | {
        "baseline_days": [
            {
                "session": session_date(sessions, int(sessions.open_ns[day.session])),
                "contracts": day.lots * scan.book.lot,
                "slots": day.slots,
            }
            for day in days
        ]
    }
