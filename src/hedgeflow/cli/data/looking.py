"""Commands that look at a catalog: what it holds, and whether its files are sound."""

from __future__ import annotations

import typer

from hedgeflow.cli.data.options import CatalogOption, JsonOption, tape_fields
from hedgeflow.cli.output import print_json, print_simulated, print_table


def list_tapes(catalog: CatalogOption, as_json: JsonOption = False) -> None:
    """List the tapes of a catalog and what each covers."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.time import iso

    summaries = Catalog.open(catalog).summaries()
    rows: list[dict[str, object]] = [
        {
            **tape_fields(each.key),
            "rows": each.rows,
            "rejected": each.rejected,
            "repeats": each.repeats,
            "first": iso(each.first_ns) if each.first_ns is not None else None,
            "last": iso(each.last_ns) if each.last_ns is not None else None,
            "intervals": each.coverage.start_ns.size,
            "simulated": each.simulated,
        }
        for each in summaries
    ]
    if as_json:
        print_json(rows)
        return
    print_simulated(simulated=any(each.simulated for each in summaries))
    columns = list(rows[0]) if rows else ["kind"]
    print_table(
        columns,
        [
            list((row | {"resolution_seconds": f"{row['resolution_seconds']:g}"}).values())
            for row in rows
        ],
        numeric=("resolution_seconds", "rows", "rejected", "repeats", "intervals"),
    )


def check(catalog: CatalogOption, as_json: JsonOption = False) -> None:
    """Check every file of a catalog against its record; exit 4 if one is damaged."""
    from hedgeflow.market.catalog import Catalog
    from hedgeflow.market.soundness import Severity

    opened = Catalog.open(catalog)
    findings = opened.check()
    if as_json:
        print_json(
            [
                {
                    "severity": str(each.severity),
                    "what": each.what,
                    "where": each.where,
                    "text": each.text,
                    "hint": each.hint,
                }
                for each in findings
            ]
        )
    else:
        print_simulated(simulated=opened.simulated)
        for each in findings:
            hint = f". {each.hint}" if each.hint else ""
            typer.echo(f"{each.severity}: {each.where}: {each.text}{hint}")
        typer.echo(f"{len(findings)} findings" if findings else "Every file is as recorded.")
    if any(each.severity is Severity.ERROR for each in findings):
        raise typer.Exit(4)
