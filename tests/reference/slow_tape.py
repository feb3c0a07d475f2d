"""The tape, coverage and scale of the slow reference: what windows and baselines see.

Written from the specification alone: ``P<n>`` in a docstring is item n of ``precise.md``,
``VS<n>`` section n of ``volume-shock.md``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MINUTE_NS = 60_000_000_000
SLOT_NS = 5 * MINUTE_NS
DAY_NS = 1440 * MINUTE_NS
YEAR_NS = 365 * DAY_NS
GAP_NS = 20 * MINUTE_NS

ComplexMode = Literal["net", "include", "exclude"]


class Print(NamedTuple):
    """One option trade as recorded; `iv` is a fraction per year, NaN where not given."""

    ts_ns: int
    contract: str
    right: str  # "C" or "P"
    strike: float
    expiry_ns: int
    price: float  # USD per unit, used only to solve a missing volatility
    lots: int
    sign: int  # aggressor: +1 bought, -1 sold, 0 unknown
    iv: float
    underlying_price: float
    combo_id: str | None = None
    block_id: str | None = None
    premium: float = 0.0  # coins per unit of the underlying, used only if premium-adjusted


class TapePrint(NamedTuple):
    """One row of the tape that windows, baselines and history see: a print or a netted order."""

    ts_ns: int
    contract: str
    right: str
    strike: float
    expiry_ns: int
    lots: int
    exposure: float  # q |delta| M in underlying units, without the sign
    demand: float  # signed hedge demand D = s q delta M in underlying units
    underlying_price: float
    is_complex: bool  # carries a combo or block id


# --- delta --------------------------------------------------------------------------------------


def signed_tape(
    prints: Iterable[Print],
    lots_per_contract: int = 10,
    multiplier: float = 1.0,
    *,
    premium_adjusted: bool = False,
) -> list[TapePrint]:
    """One row per print with D = s q delta M (VS1); every print carries its own delta (P5)."""
    last_iv: dict[str, float] = {}
    tape = []
    for p in prints:
        if not math.isnan(p.iv):  # only a volatility given by a print becomes the last (P5)
            last_iv[p.contract] = p.iv
        delta = print_delta(p, last_iv.get(p.contract))
        if premium_adjusted:  # P6
            delta -= p.premium
        units = p.lots * multiplier / lots_per_contract
        tape.append(
            TapePrint(
                p.ts_ns,
                p.contract,
                p.right,
                p.strike,
                p.expiry_ns,
                p.lots,
                units * abs(delta),
                p.sign * units * delta,
                p.underlying_price,
                p.combo_id is not None or p.block_id is not None,
            )
        )
    return tape


def print_delta(p: Print, last_iv: float | None) -> float:
    """P5: the contract's last volatility (the print's own, if given), else one solved for."""
    years = max(0, p.expiry_ns - p.ts_ns) / YEAR_NS
    volatility = solved_volatility(p, years) if last_iv is None else last_iv
    return black_delta(p.right, p.underlying_price, p.strike, volatility, years)


def black_delta(
    right: str, forward: float, strike: float, volatility: float, years: float
) -> float:
    """Undiscounted Black-76 N(d1), puts minus 1; by moneyness where no volatility is left (P5)."""
    deviation = max(0.0, volatility) * math.sqrt(years)
    if deviation == 0:
        call = 0.5 if forward == strike else float(forward > strike)
    else:
        call = _normal(math.log(forward / strike) / deviation + deviation / 2)
    return call if right == "C" else call - 1.0


def black_price(
    right: str, forward: float, strike: float, volatility: float, years: float
) -> float:
    """Undiscounted Black-76 price."""
    deviation = volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / deviation + deviation / 2
    call = forward * _normal(d1) - strike * _normal(d1 - deviation)
    return call if right == "C" else call - forward + strike


def solved_volatility(p: Print, years: float) -> float:
    """Bisection on the price; 0 at or below the intrinsic value (P5)."""
    in_the_money = (p.underlying_price - p.strike) * (1 if p.right == "C" else -1)
    if p.price <= max(0.0, in_the_money) or years <= 0:
        return 0.0
    low, high = 1e-6, 50.0
    for _ in range(200):
        middle = (low + high) / 2
        if black_price(p.right, p.underlying_price, p.strike, middle, years) < p.price:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _normal(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


# --- complex orders -----------------------------------------------------------------------------


def complex_tape(
    tape: Sequence[TapePrint], prints: Sequence[Print], mode: ComplexMode
) -> list[TapePrint]:
    """The tape under the three readings of complex orders (P9); `tape[i]` is `prints[i]`."""
    if mode == "include":
        return list(tape)
    kept = {i: row for i, row in enumerate(tape) if not row.is_complex}
    if mode == "net":
        for legs in orders(prints):
            position, order = net_order([(i, tape[i]) for i in legs])
            kept[position] = order
    return [kept[i] for i in sorted(kept)]


def orders(prints: Sequence[Print]) -> list[list[int]]:
    """Positions of the legs of each order: joined by either id within one stamp (P9)."""
    by_stamp: dict[int, list[tuple[set[tuple[str, str]], list[int]]]] = defaultdict(list)
    for i, p in enumerate(prints):
        pairs = (("combo", p.combo_id), ("block", p.block_id))
        ids = {(kind, value) for kind, value in pairs if value is not None}
        if not ids:
            continue
        groups = by_stamp[p.ts_ns]
        legs = [i]
        for group in [g for g in groups if g[0] & ids]:
            groups.remove(group)
            ids |= group[0]
            legs += group[1]
        groups.append((ids, sorted(legs)))
    return [legs for groups in by_stamp.values() for _, legs in groups]


def net_order(legs: Sequence[tuple[int, TapePrint]]) -> tuple[int, TapePrint]:
    """The order at its lead leg: the place of the lead contract's last print (P9)."""
    exposure: dict[str, float] = defaultdict(float)
    lots: dict[str, int] = defaultdict(int)
    for _, row in legs:
        exposure[row.contract] += row.exposure
        lots[row.contract] += row.lots
    lead = min(lots, key=lambda c: (-exposure[c], -lots[c], c))
    position, row = [leg for leg in legs if leg[1].contract == lead][-1]
    demand = sum(leg.demand for _, leg in legs)
    return position, row._replace(lots=lots[lead], exposure=exposure[lead], demand=demand)


# --- coverage and scale -------------------------------------------------------------------------


def recorded_intervals(stamps: Sequence[int], resolution_ns: int) -> list[tuple[int, int]]:
    """P3: split at gaps over 20 minutes; first stamp to last stamp + r, half-open."""
    intervals: list[tuple[int, int]] = []
    first = last = stamps[0]
    for ts in stamps[1:]:
        if ts - last > GAP_NS:
            intervals.append((first, last + resolution_ns))
            first = ts
        last = ts
    return [*intervals, (first, last + resolution_ns)]


def covered_slots(intervals: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Session (days since 1970, UTC) -> its slots that some interval contains whole (P3)."""
    covered: dict[int, set[int]] = defaultdict(set)
    for start, end in intervals:
        slot_start = -(-start // SLOT_NS) * SLOT_NS
        while slot_start + SLOT_NS <= end:
            covered[slot_start // DAY_NS].add(slot_start % DAY_NS // SLOT_NS)
            slot_start += SLOT_NS
    return dict(covered)


def median_slot_volume(
    bars: Sequence[tuple[int, float]], bar_ns: int, session: int, sessions: int = 10
) -> float | None:
    """V5: median 5-minute volume over all slots of the previous complete sessions (P21).

    `bars` are (start ns, volume in underlying units); a session is complete when every bar of
    the UTC day is there. None without a complete one (NO_SCALE).
    """
    slots: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    count: dict[int, int] = defaultdict(int)
    for start, volume in bars:
        count[start // DAY_NS] += 1
        slots[start // DAY_NS][start % DAY_NS // SLOT_NS] += volume
    complete = [s for s in sorted(count) if s < session and count[s] == DAY_NS // bar_ns]
    values = [v for s in complete[-sessions:] for v in slots[s].values()]
    return median(values) if values else None


def v5_by_session(
    bars: Sequence[tuple[int, float]], bar_ns: int, sessions: Iterable[int]
) -> Mapping[int, float]:
    """V5 of every session that has one (P21)."""
    found = {s: median_slot_volume(bars, bar_ns, s) for s in sessions}
    return {s: v for s, v in found.items() if v is not None}
