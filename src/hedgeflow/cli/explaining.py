"""The command that shows what an alert rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hedgeflow.cli.naming import open_journal
from hedgeflow.cli.options import (
    CatalogOption,
    JournalOption,
    JsonOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table

if TYPE_CHECKING:
    from hedgeflow.studies.explaining import Explanation, StrikeExplanation


def explain(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="An alert's id.")],
    catalog: CatalogOption,
    run: Annotated[str | None, typer.Option(help="The run, where several have the alert.")] = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an alert rests on: prints or open interest, arithmetic, decision, trade."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.explaining import StrikeExplanation, explain_alert

    opened = Catalog.open(catalog)
    with open_journal(catalog, journal, create=False) as record:
        found = explain_alert(opened, record, alert, run)
    if isinstance(found, StrikeExplanation):
        _strike(found, as_json=as_json)
    else:
        _prints(found, as_json=as_json)


def _prints(found: Explanation, *, as_json: bool) -> None:
    import polars as pl

    stamps = [pl.col("ts", "hedge_known_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")]
    rows = found.prints.with_columns(stamps)
    if as_json:
        print_json(
            {
                "simulated": found.simulated,
                "alert": found.alert,
                "signing": found.signing,
                "members": found.members,
                "prints": rows.to_dicts(),
                "notes": found.notes,
            }
        )
        return
    print_simulated(simulated=found.simulated)
    typer.echo(found.alert["sentence"])
    rules = ", ".join(
        f"{each['rule']} {each['share']:.1%} (right with probability {each['probability']:.2f})"
        for each in found.signing
    )
    typer.echo(f"signed by: {rules}")
    typer.echo(
        f"demand {found.alert['demand']:,.2f} units, 95 % band {found.alert['demand_low']:,.2f} to"
        f" {found.alert['demand_high']:,.2f}; response {found.alert['response_minutes']:.1f} min;"
        f" pressure {found.alert['pressure']:,.1f}; {found.alert['flow_class']}"
    )
    member_columns = (
        "contract", "window_seconds", "contracts", "baseline_contracts", "floor_contracts",
        "ratio", "baseline", "demand",
    )  # fmt: skip
    print_table(
        member_columns,
        [[member[name] for name in member_columns] for member in found.members],
        numeric=tuple(name for name in member_columns if name not in {"contract", "baseline"}),
    )
    for member in found.members:
        if "baseline_days" in member:
            typer.echo(_daily_baseline(member))
    optional = ("bid", "ask", "hedge_bid", "hedge_ask", "iv")
    shown = [
        "ts", "contract", "contracts", "price",
        *(name for name in optional if rows[name].null_count() < rows.height),
        "underlying_price", "sign", "rule", "probability", "delta", "demand",
    ]  # fmt: skip
    brief = rows.with_columns(pl.col("ts").str.replace(".000Z", "Z", literal=True))
    words = {"ts", "contract", "rule"}
    print_table(shown, brief.select(shown).rows(), numeric=tuple(set(shown) - words))
    _outcome(found)


def _strike(found: StrikeExplanation, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json(asdict(found))
        return
    print_simulated(simulated=found.simulated)
    row, alert = found.condition, found.alert
    typer.echo(alert["sentence"])
    columns = (
        "contract", "right", "multiplier", "official", "official_known", "traded_since",
        "customers_net_since", "estimated", "customers_net_in_all",
    )  # fmt: skip
    print_table(
        [name.replace("_", " ") for name in columns],
        [[each[name] for name in columns] for each in found.contracts],
        numeric=[
            name.replace("_", " ")
            for name in columns
            if name not in {"contract", "right", "official_known"}
        ],
    )
    typer.echo(
        f"open interest of the strike, contracts of 100 units: {row['settled_oi']:,.10g} published,"
        f" {row['estimated_oi']:,.10g} estimated, between {row['oi_low']:,.10g} and"
        f" {row['oi_high']:,.10g}; {row['oi']:,.10g} counted"
    )
    chances = ", ".join(
        f"{name} {'–' if chance is None else f'{chance:.4f}'}"
        f"{' (makes pressure)' if name == found.model else ''}"
        for name, chance in found.probabilities.items()
    )
    typer.echo(f"probability {row['distance']:g} from the strike: {chances}")
    unit = row["risk"] / (row["oi"] * row["probability"])
    scaled = "" if unit == 1.0 else f" × {unit:.6g} (100,000 × 100 / V5)"
    typer.echo(
        f"pressure: {row['oi']:,.10g} × {row['probability']:.6g}{scaled} = risk"
        f" {row['risk']:,.2f}; over max(1, {row['pressure_minutes']:.4g}²) minutes:"
        f" {row['pressure']:,.2f}, above the threshold {row['threshold']:,.2f}; confidence"
        f" {row['confidence']:.4g}"
    )
    sigma = (
        "no volatility known"
        if row["sigma"] is None
        else f"volatility {row['sigma']:.4f} ({row['sigma_source']})"
    )
    gamma = "not known" if row["dealer_gamma"] is None else f"{row['dealer_gamma']:,.6g}"
    units = row["dealer_units"]
    held = f"{'long' if units > 0.0 else 'short'} {abs(units):,.10g}" if units else "flat, 0"
    typer.echo(
        f"dealers are {held} units of options by {found.basis}: gamma"
        f" {gamma} units per price unit; {sigma}"
    )
    typer.echo(f"side: {found.side}")
    _outcome(found)


def _outcome(found: Explanation | StrikeExplanation) -> None:
    """Print what a reader should know, what was decided, and what was traded."""
    for note in found.notes:
        typer.echo(f"note: {note}")
    if not found.alert["decisions"]:
        typer.echo("decision: none, for this run only scanned; hedgeflow backtest decides")
    for decision in found.alert["decisions"]:
        typer.echo(f"{decision['kind']} ({decision['reason_code']}): {decision['sentence']}")
    for trade in found.alert["trades"]:
        typer.echo(f"trade: {trade['sentence']}")


def _daily_baseline(member: dict[str, Any]) -> str:
    """Return in words which sessions a baseline from daily volumes is the mean of."""
    days = ", ".join(
        f"{day['session']} {day['contracts']:,.10g} / {day['slots']}"
        for day in member["baseline_days"]
    )
    return (
        f"baseline of {member['contract']}: the mean of contracts / 5-minute slots over whole"
        f" sessions, without a time of day ({days})"
    )
