"""How a ladder of strikes reads on a terminal: whole, in one line, or as a screen that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hedgeflow.cli.output import print_prose, print_table, terminal_width

if TYPE_CHECKING:
    import polars as pl
    from rich.console import RenderableType

    from hedgeflow.studies.expiration.ladder import Ladder

COLUMNS: Final = (
    "strike", "settled", "since", "calls", "puts", "estimated", "band", "pressure",
    "dealer gamma", "told by", "source", "lognormal", "empirical", "call ITM", "away", "points",
    "sigmas", "alert",
)  # fmt: skip
NEEDED_MOST: Final = (
    "strike", "alert", "pressure", "estimated", "settled", "dealer gamma", "sigmas", "lognormal",
    "band", "told by", "source", "call ITM", "calls", "puts", "since", "away", "empirical",
    "points",
)  # fmt: skip
"""The columns that a narrow terminal keeps, first to last."""
GAP: Final = 2
"""Characters between columns."""
WORDS: Final = frozenset({"told by", "alert"})


def print_ladder(shown: Ladder, strikes: int) -> None:
    """Print a ladder whole, for people."""
    print_prose(_head(shown))
    rows, width = _rows(shown, strikes), terminal_width()
    columns = list(COLUMNS) if width is None else _fitting(rows, width)
    numeric = [name for name in columns if name not in WORDS]
    print_table(columns, [[row[name] for name in columns] for row in rows], numeric)
    if left_out := [name for name in COLUMNS if name not in columns]:
        print_prose([f"Too wide for this terminal: {', '.join(left_out)}; a file or pipe has all."])
    print_prose([*notices(shown), *(f"note: {note}" for note in shown.notes)])


def screen(shown: Ladder, strikes: int, width: int) -> RenderableType:
    """Return a ladder as a terminal of so many characters shows it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = _rows(shown, strikes)
    columns = _fitting(rows, width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="left" if column in WORDS else "right", no_wrap=True)
    for row in rows:
        is_bold = row["alert"] != "–"
        table.add_row(*(row[name] for name in columns), style="bold" if is_bold else None)
    return Group(Text("\n".join(_head(shown))), table, Text("\n".join(notices(shown))))


def _fitting(rows: list[dict[str, str]], width: int) -> list[str]:
    """Return the columns that are shown whole on so many characters."""
    chosen: set[str] = set()
    width += GAP  # none before the first
    for name in NEEDED_MOST:
        needed = GAP + max(len(each) for each in (name, *(row[name] for row in rows)))
        if needed <= width:
            chosen.add(name)
            width -= needed
    return [name for name in COLUMNS if name in chosen]


def in_one_line(shown: Ladder) -> str:
    """Return a ladder in one line: time left, price, the strike that presses most."""
    known = shown.rungs.drop_nulls("pressure")
    most = "no pressure is known"
    if known.height:
        top = known.row(int(known["pressure"].arg_max() or 0), named=True)
        urgency = f", {top['urgency']}" if top["urgency"] else ""
        most = f"most pressure {top['pressure']:,.2f} at {top['strike']:g}{urgency}"
    return f"{_left(shown)} left, price {shown.price:,.2f}, {most}"


def _head(shown: Ladder) -> list[str]:
    expiry, at = (_clock(shown, each, full=True) for each in (shown.expiry_ns, shown.at_ns))
    price = f"price {shown.price:,.2f} of {_clock(shown, shown.price_ns)}"
    special = f"{shown.settlement.value}, {shown.features.words}; {shown.phase.name}"
    lines = [
        f"{shown.underlying} {expiry}: {special}",
        f"As of {at}, with {_left(shown)} left: {price}; {_volatility(shown)}",
        _alerts(shown),
    ]
    profile = shown.profile
    if profile is not None:
        from hedgeflow.evidence.report.ladder_words import bought_or_sold

        up, down = bought_or_sold(profile.flow_up), bought_or_sold(profile.flow_down)
        walls = ["none" if wall is None else f"{wall:,.10g}" for wall in
                 (profile.call_wall, profile.put_wall)]  # fmt: skip
        flip = "none" if profile.flip is None else f"{profile.flip:,.2f}"
        lines.append(
            f"Dealers: net gamma {_signed(profile.total)} units per 1 of price, flip {flip}, call"
            f" wall {walls[0]}, put wall {walls[1]}; hedging a rise of 1 %: {up}, a fall: {down}"
        )
    return lines


def _volatility(shown: Ladder) -> str:
    if shown.sigma is None or shown.expected_move is None:
        return "no volatility is known"
    return (
        f"volatility {shown.sigma:.1%} ({shown.sigma_source}), one sigma of what is left"
        f" {shown.expected_move:,.2f}"
    )


def _alerts(shown: Ladder) -> str:
    pressed = f"Pressure (preset {shown.preset}): {shown.pressure_is}"
    if shown.no_alert:
        return f"{pressed}. Nothing can be an alert: {shown.no_alert}"
    looked = (
        "" if shown.evaluated_ns is None else f", looked at {_clock(shown, shown.evaluated_ns)}"
    )
    return f"{pressed}. An alert is above {shown.threshold:,.2f}{looked}"


def _rows(shown: Ladder, strikes: int) -> list[dict[str, str]]:
    """Return the rungs by column from the highest down, and the price between them."""
    rungs = shown.around(strikes).reverse()
    gamma, counts = (_decimals(rungs[name]) for name in ("dealer_gamma", "oi_high"))
    rows = [_row(shown, rung, gamma, counts) for rung in rungs.iter_rows(named=True)]
    price = dict.fromkeys(COLUMNS, "") | {"strike": f"> {shown.price:,.2f}"}
    rows.insert(int((rungs["strike"] > shown.price).sum()), price)
    return rows


def _row(shown: Ladder, rung: dict[str, Any], gamma: str, counts: str) -> dict[str, str]:
    alert = " ".join(each for each in (rung["urgency"], rung["direction"]) if each)
    counted_ns = rung["settled_ns"]
    values = (
        _figure(rung["strike"], ",.10g"),
        _figure(rung["settled_oi"], counts),
        "–" if counted_ns is None else _clock(shown, counted_ns),
        _figure(rung["settled_calls"], counts),
        _figure(rung["settled_puts"], counts),
        _figure(rung["estimated_oi"], counts),
        f"{rung['oi_low']:{counts}} to {rung['oi_high']:{counts}}",
        _figure(rung["pressure"], ",.2f"),
        _figure(rung["dealer_gamma"], gamma),
        rung["gamma_basis"].lower().replace("_", " "),
        *(_figure(rung[name], ".1%") for name in ("source", "lognormal", "empirical")),
        _figure(rung["in_the_money_call"], ".1%"),
        _figure(rung["distance"], ",.2f"),
        _figure(rung["distance_points"], ",.1f"),
        _figure(rung["distance_sigmas"], ",.2f"),
        alert or "–",
    )
    return dict(zip(COLUMNS, values, strict=True))


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, f"z{form}")  # z: no minus before a 0


def _decimals(figures: pl.Series) -> str:
    """Return the format in which the largest figure shows three significant digits."""
    from hedgeflow.evidence.report.ladder_words import digits_of

    return f",.{digits_of(*figures.to_list())}f"


def notices(shown: Ladder) -> list[str]:
    """Return what was noticed up to the instant, a line each, oldest first."""
    return [
        f"{_clock(shown, row['at_ns'])}: {row['minutes_left']:g} minutes left"
        if row["strike"] is None
        else f"{_clock(shown, row['at_ns'])}: {row['kind']} at {row['strike']:g}"
        for row in shown.notices.iter_rows(named=True)
    ]


def _signed(value: float) -> str:
    from hedgeflow.evidence.report.ladder_words import digits_of

    digits = digits_of(value)
    return f"{'+' if round(value, digits) > 0.0 else ''}{value:z,.{digits}f}"


def _left(shown: Ladder) -> str:
    minutes, seconds = divmod(-int(-shown.seconds_left // 1), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def _clock(shown: Ladder, instant: int, *, full: bool = False) -> str:
    """Return an instant by the exchange's clock; its date where it is another than that of now."""
    from zoneinfo import ZoneInfo

    from hedgeflow.market.time import moment_of

    zone = ZoneInfo(shown.zone)
    moment = moment_of(instant).astimezone(zone)
    is_today = moment.date() == moment_of(shown.at_ns).astimezone(zone).date()
    return f"{moment:%H:%M:%S}" if is_today and not full else f"{moment:%Y-%m-%d %H:%M:%S %Z}"
