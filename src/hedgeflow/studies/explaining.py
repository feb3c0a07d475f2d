"""Everything behind one alert: the prints, how each was signed, its delta, and the baseline."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from hedgeflow.market.errors import HedgeflowError
from hedgeflow.signals.rules import SigningRule
from hedgeflow.signals.scan import ShockScan
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import scan_rules
from hedgeflow.studies.backtesting import code_version
from hedgeflow.studies.markets import load_market

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.journal import Journal
    from hedgeflow.market.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Explanation:
    """One alert and what it rests on.

    Attributes
    ----------
    alert : dict
        The journal's row, with its decisions and trades.
    members : list of dict
        The contracts, each with its window, volume, demand and ratio, and the baseline and volume
        floor of its first anomaly in contracts, with the baseline's origin.
    prints : polars.DataFrame
        Every print of the members since their windows began: time, price, lots, quotes, sign,
        rule, probability, delta, demand.
    """

    alert: dict[str, Any]
    members: list[dict[str, Any]]
    prints: pl.DataFrame


def explain_alert(
    catalog: Catalog, journal: Journal, alert_id: str, run_id: str | None = None
) -> Explanation:
    """Return what an alert in the journal rests on, recomputed from the catalog.

    Raises
    ------
    JournalError
        No such alert, or several runs have it and none was named.
    HedgeflowError
        The catalog no longer holds the data that the run read.
    """
    alert = journal.alert(alert_id, run_id or _run_of_this_code(journal, alert_id))
    runs = journal.runs().filter(pl.col("run_id") == alert["run_id"]).row(0, named=True)
    trials = journal.trials(runs["data_hash"]).filter(pl.col("config_hash") == runs["config_hash"])
    trial = json.loads(trials["config_json"][0])
    config = VolumeShockConfig.model_validate(trial["settings"])
    market = load_market(catalog, runs["underlying"], config)
    if (market.option_hash, market.hedge_hash) != (runs["data_hash"], trial["hedge_data"]):
        raise HedgeflowError(
            f"alert {alert_id} was made from other data than the catalog now holds",
            where=str(catalog.path),
            hint="Run the scan again, then explain one of its alerts",
        )
    members = json.loads(alert["members_json"])
    scan = ShockScan(
        scan_rules(config, float(market.contracts["lot"][0])),
        market.contracts,
        market.sessions,
        market.option_coverage.slots(market.sessions),
        market.reference(config),
        market.options.resolution_ns,
    )
    since = min(member["since_ns"] for member in members)
    before = pl.col("ts").dt.epoch("ns") <= since
    kept: list[pl.DataFrame] = []
    for frame in market.catalog.slices(market.options, end_ns=alert["triggered_ns"] + 1):
        scan.advance(frame.filter(before))
        kept.append(frame.filter(~before))
    window = pl.concat(kept)
    signed = scan.signed_prints(window)
    table = window.with_columns(
        sign=pl.Series(signed["sign"]),
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
    members_only = (
        table.join(starts, on="contract", how="inner", maintain_order="left")
        .filter(pl.col("ts").dt.epoch("ns") > pl.col("since_ns"))
        .select(
            "ts",
            "contract",
            "contracts",
            "price",
            "bid",
            "ask",
            "iv",
            "underlying_price",
            "sign",
            "rule",
            "probability",
            "delta",
            "demand",
            "combo_id",
            "block_id",
        )
    )
    anomalies = scan.advance(window).anomalies
    return Explanation(
        alert, [_with_baseline(each, anomalies, scan) for each in members], members_only
    )


def _run_of_this_code(journal: Journal, alert_id: str) -> str | None:
    """Return the one run of the present code that has an alert, None where that is not one."""
    having = journal.table("alerts").filter(pl.col("alert_id") == alert_id)["run_id"]
    runs = journal.runs().filter(
        pl.col("run_id").is_in(having.to_list()) & (pl.col("code_version") == code_version())
    )
    return str(runs["run_id"][0]) if runs.height == 1 else None


def _with_baseline(
    member: dict[str, Any], anomalies: NDArray[Any], scan: ShockScan
) -> dict[str, Any]:
    """Return a member with the baseline and the volume floor of its first anomaly, contracts."""
    symbols = scan.book.symbols
    own = [row for row in anomalies if symbols[int(row["contract"])] == member["contract"]]
    if not own:
        return {**member, "baseline_contracts": None, "floor_contracts": None}
    return {
        **member,
        "baseline_contracts": float(own[0]["baseline_lots"]) * scan.book.lot,
        "floor_contracts": float(own[0]["floor_lots"]) * scan.book.lot,
    }
