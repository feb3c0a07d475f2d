"""The command that shows what an alert rests on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hedgeflow.cli.options import (
    CatalogOption,
    JournalOption,
    JsonOption,
)
from hedgeflow.cli.output import print_json, print_simulated, print_table
from hedgeflow.cli.running import open_journal


def explain(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="An alert's id.")],
    catalog: CatalogOption,
    run: Annotated[str | None, typer.Option(help="The run, where several have the alert.")] = None,
    journal: JournalOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an alert rests on: prints, quotes, signs, deltas, baselines, decision, trade."""
    import polars as pl

    from hedgeflow.market.catalog import Catalog
    from hedgeflow.studies.explaining import explain_alert

    opened = Catalog.open(catalog)
    with open_journal(catalog, journal, create=False) as record:
        found = explain_alert(opened, record, alert, run)
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
    for note in found.notes:
        typer.echo(f"note: {note}")
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
