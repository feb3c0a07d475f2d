"""Slow, obvious reference of the expiration-pressure scan, for comparison row by row.

Written from the specification alone: ``P<n>`` is item n of ``precise.md``, ``EP<n>`` section n of
``expiration-pressure.md``. Plain Python. Every instant is judged from all events known by then,
read anew from the first one; only the re-arming of alerts looks at the instants before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
DAY_NS = 1440 * MINUTE_NS


class Option(NamedTuple):
    """A listed contract; `right` is C or P, `listed_ns` None where not known."""

    expiry_ns: int
    strike: float
    right: str
    multiplier: float
    listed_ns: int | None = None


class Told(NamedTuple):
    """An event: when it became known, what it is, whose (None: the underlying's), its value."""

    known_ns: int
    kind: str
    contract: int | None
    value: float


@dataclass
class Found:
    """Everything that a scan gives."""

    conditions: list[dict[str, Any]] = field(default_factory=list)
    notices: list[tuple[Any, ...]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    no_history: int = 0
    stopped: dict[str, int] = field(default_factory=dict)
    largest: dict[int, float] = field(default_factory=dict)


class SlowScan:
    """The whole rule over a whole tape.

    `rules` carries the numbers under the names of `PressureRules`; `session_minutes` maps an
    expiry to the length of its session; `table` maps an expiry to the probability that the
    empirical model had learnt before it, a function of distance in sigmas and minutes.
    """

    def __init__(self, rules, options, told, *, session_minutes=None, table=None) -> None:
        self.rules = rules
        self.options = options
        self.told = sorted(told, key=lambda each: each.known_ns)
        self.session_minutes = session_minutes or {}
        self.table = table or {}
        self.expiries = sorted({option.expiry_ns for option in options})
        self.first_ns = self.told[0].known_ns

    def run(self, until_ns: int) -> Found:
        found = Found()
        holding: dict[tuple[int, float], list[Any]] = {}  # [urgency, number, ceased since]
        warned: set[tuple[int, float]] = set()
        alerts = 0
        for now, batch in groupby(self.told, key=lambda each: each.known_ns):
            expiry = self.todays_expiry(now)
            if expiry is None or not self.matters(list(batch), expiry):
                continue
            state = self.market(now)
            if state["price"] is None:
                continue
            if now - state["price_ns"] > self.rules.oldest_price_minutes * MINUTE_NS:
                found.stopped["stale_price"] = found.stopped.get("stale_price", 0) + 1
                continue
            minutes = (expiry - now) / MINUTE_NS
            limit = self.limit(expiry, minutes, state, found)
            largest = max(
                (self.interest(expiry, strike, now)["oi"] for strike in self.strikes(expiry, now)),
                default=0.0,
            )
            found.largest[expiry] = max(found.largest.get(expiry, 0.0), largest)
            if limit is not None and largest <= self.rules.oi_above:
                few = found.stopped.get("below_open_interest", 0)
                found.stopped["below_open_interest"] = few + 1
            for strike in self.strikes(expiry, now):
                key = (expiry, strike)
                row = self.judge(expiry, strike, now, state)
                alert = holding.get(key)
                if limit is not None and self.is_condition(row, limit, found):
                    row["threshold"] = limit
                    ceased = alert is not None and alert[2] is not None
                    again = ceased and now - alert[2] >= self.rules.rearm_minutes * MINUTE_NS
                    row["is_new"] = alert is None or alert[0] != row["urgency"] or again
                    if row["is_new"]:
                        holding[key] = alert = [row["urgency"], alerts, None]
                        alerts += 1
                    alert[2] = None
                    row["alert_number"] = alert[1]
                    row["confidence"] = self.confidence(expiry, row)
                    found.conditions.append(row)
                elif alert is not None and alert[2] is None:
                    alert[2] = now
                if (  # EP4: the evolution monitor
                    minutes < self.rules.monitor_minutes
                    and row["points"] < self.rules.monitor_distance
                    and row["oi"] >= self.rules.monitor_oi
                    and key not in warned
                ):
                    warned.add(key)
                    found.notices.append((now, "PREPARE_FOR_PANIC_MODE", minutes, strike))
        for expiry in self.expiries:
            self.tell_the_time(expiry, until_ns, found)
            self.score(expiry, until_ns, found)
        found.notices.sort(key=lambda notice: notice[0])
        return found

    # --- what is known --------------------------------------------------------------------------

    def todays_expiry(self, now: int) -> int | None:
        """P29: the next expiration instant within 24 hours."""
        following = [expiry for expiry in self.expiries if expiry > now]
        return following[0] if following and following[0] - now <= DAY_NS else None

    def matters(self, batch, expiry: int) -> bool:
        """P29: evaluation on every price or open-interest change of that expiry."""
        return any(
            each.kind == "PRICE"
            or (each.contract is not None and self.options[each.contract].expiry_ns == expiry)
            for each in batch
        )

    def market(self, now: int) -> dict[str, Any]:
        state: dict[str, Any] = {"price": None, "sigma": None, "scale": None, "price_ns": None}
        for each in self.told:
            if each.known_ns <= now and each.contract is None:
                state[each.kind.lower()] = each.value if each.value > 0 else None
                if each.kind == "PRICE":
                    state["price_ns"] = each.known_ns
        return state

    def strikes(self, expiry: int, now: int) -> list[float]:
        return sorted(
            {
                option.strike
                for option in self.options
                if option.expiry_ns == expiry
                and (option.listed_ns is None or option.listed_ns <= now)
            }
        )

    def interest(self, expiry: int, strike: float, now: int) -> dict[str, Any]:
        """EP2: official figure, estimate and band, calls and puts together, in M/100 (P28)."""
        settled = estimated = low = high = calls = puts = signed_units = 0.0
        is_signed, printed = False, []
        for c, option in enumerate(self.options):
            if (option.expiry_ns, option.strike) != (expiry, strike):
                continue
            own = [each for each in self.told if each.contract == c and each.known_ns <= now]
            prints = [place for place, each in enumerate(own) if each.kind == "SETTLED"]
            since = own[prints[-1] + 1 :] if prints else own
            last = own[prints[-1]].value if prints else 0.0
            if prints:
                printed.append(own[prints[-1]].known_ns)
            traded = sum(each.value for each in since if each.kind == "VOLUME")
            signed = sum(each.value for each in since if each.kind == "SIGNED")
            units = option.multiplier / 100.0
            estimate = max(0.0, last + signed)
            settled += last * units
            estimated += estimate * units
            low += max(0.0, last - traded) * units
            high += (last + traded) * units
            used = estimate if self.rules.open_interest == "estimated" else last
            if option.right == "C":
                calls += used * units
            else:
                puts += used * units
            ever = [each.value for each in own if each.kind == "SIGNED"]
            is_signed = is_signed or bool(ever)
            signed_units += sum(ever) * option.multiplier
        if is_signed:  # P33
            dealers, basis = -signed_units, "SIGNED_FLOW"
        else:
            dealers, basis = 100.0 * (calls - puts), "LONG_CALLS_SHORT_PUTS"
        return {
            "settled_oi": settled, "estimated_oi": estimated, "oi_low": low, "oi_high": high,
            "settled_ns": min(printed) if printed else -1,
            "oi": calls + puts if printed else 0.0,
            "dealer_units": dealers, "gamma_basis": basis,
        }  # fmt: skip

    # --- the rule -------------------------------------------------------------------------------

    def judge(self, expiry: int, strike: float, now: int, state, minutes=None) -> dict[str, Any]:
        """EP2: one strike at one instant."""
        rules, price = self.rules, state["price"]
        minutes = (expiry - now) / MINUTE_NS if minutes is None else minutes
        row = self.interest(expiry, strike, now)
        point = self.point(state)
        distance = abs(price - strike)
        row |= {
            "at_ns": now, "expiry_ns": expiry, "strike": strike, "price": price,
            "minutes_left": minutes, "distance": distance, "point": point,
            "points": round(distance / point, 9), "price_ns": state["price_ns"],
        }  # fmt: skip
        for model in ("source", "lognormal", "empirical"):
            row[model] = self.probability(model, expiry, strike, now, state, minutes, point)
        row["probability"] = row[rules.probability]
        row["risk"] = row["oi"] * self.unit(state) * row["probability"]
        row["pressure"] = self.pressure(row["risk"], minutes, expiry)
        row["urgency"] = "CRISIS" if minutes < 15 else "HIGH" if minutes < 45 else "LOW"
        row["signal_class"] = self.signal_class(row)
        row["target_distance"] = max(15.0 * point, 1.5 * distance)
        row["dealer_gamma"] = row["dealer_units"] * self.gamma(strike, state, minutes)
        return row

    def point(self, state) -> float:
        """P23."""
        rules = self.rules
        if rules.distance == "points":
            return 1.0
        if rules.distance == "bps":
            return state["price"] * rules.bps_per_point / 10_000
        if state["sigma"] is None:
            return math.nan
        return state["price"] * state["sigma"] * math.sqrt(8 / rules.minutes_per_year) / 8

    def unit(self, state) -> float:
        """P28: risk in contracts of 100 units, or in reference units of V5."""
        if self.rules.reference_risk is None:
            return 1.0
        if state["scale"] is None:
            return math.nan
        return 100.0 * self.rules.reference_risk / state["scale"]

    def pressure(self, risk: float, minutes: float, expiry: int) -> float:
        """P28, P31: flat within the last minute."""
        if self.rules.session_minutes is not None:
            minutes = minutes * self.rules.session_minutes / self.session_minutes[expiry]
        return risk / max(1.0, minutes**2)

    def probability(self, model, expiry, strike, now, state, minutes, point) -> float:
        price, sigma = state["price"], state["sigma"]
        if model == "source":
            d = abs(price - strike) / point
            if minutes < 15:
                return max(0.8, 1 - d / 10)
            return max(0.5, 1 - d / 20) if minutes < 45 else max(0.2, 1 - d / 30)
        if sigma is None:
            return math.nan
        deviation = sigma * math.sqrt(max(minutes, 1 / 60) / self.rules.minutes_per_year)
        if model == "empirical":
            if expiry not in self.table:
                return math.nan
            return self.table[expiry](abs(math.log(price / strike)) / deviation, minutes)
        low, high = self.band(expiry, strike, now)
        if math.isnan(low):
            return math.nan

        def below(mark: float) -> float:
            if mark <= 0:
                return 0.0
            z = (math.log(mark / price) + deviation**2 / 2) / deviation
            return 0.5 * math.erfc(-z / math.sqrt(2))

        return below(high) - below(low)

    def band(self, expiry: int, strike: float, now: int) -> tuple[float, float]:
        """P33: half-way to each neighbouring listed strike; outermost, as wide on either side."""
        listed = self.strikes(expiry, now)
        place = listed.index(strike)
        below = strike - listed[place - 1] if place > 0 else None
        above = listed[place + 1] - strike if place + 1 < len(listed) else None
        if below is None and above is None:
            return math.nan, math.nan
        return strike - (below or above) / 2, strike + (above or below) / 2

    def gamma(self, strike: float, state, minutes: float) -> float:
        if state["sigma"] is None:
            return math.nan
        s = state["sigma"] * math.sqrt(max(minutes, 1 / 60) / self.rules.minutes_per_year)
        d1 = math.log(state["price"] / strike) / s + s / 2
        return math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) / (state["price"] * s)

    def limit(self, expiry: int, minutes: float, state, found: Found) -> float | None:
        """Return the threshold in force, None where there can be no alert."""
        rules = self.rules
        if rules.reference_risk is not None and state["scale"] is None:
            return None
        if (rules.probability != "source" or rules.distance == "sigma") and not state["sigma"]:
            return None
        if rules.quantile is None and rules.confidence == "linear":
            return rules.threshold
        whole = math.floor(minutes)
        if whole > 180:
            return None
        past = self.past(expiry, whole)
        if past is None:
            found.no_history += 1
            return None
        return self.quantile(past) if rules.quantile is not None else rules.threshold

    def quantile(self, past: list[float]) -> float:
        """The smallest value that at least 95 of 100 do not exceed."""
        hundredths = round(self.rules.quantile * 100)
        return next(
            value for place, value in enumerate(past, 1) if place * 100 >= hundredths * len(past)
        )

    def past(self, expiry: int, whole: int) -> list[float] | None:
        """P28: pressures of the last expiries that are over, at the same whole minute left."""
        wanted = self.rules.quantile_expiries
        minutes = whole or 1 / 60
        found: list[list[float]] = []
        for earlier in reversed([each for each in self.expiries if each < expiry]):
            now = earlier - (whole * MINUTE_NS or SECOND_NS)
            state = self.fresh(now, earlier)
            if state is None:
                continue
            rows = [self.judge(earlier, k, now, state) for k in self.strikes(earlier, now)]
            assert all(abs(row["minutes_left"] - minutes) < 1e-12 for row in rows)
            pressures = [row["pressure"] for row in rows if row["oi"] > 0]
            known = [each for each in pressures if not math.isnan(each)]
            if known:
                found.append(known)
        if len(found) < wanted:
            return None
        return sorted(value for pressures in found[:wanted] for value in pressures)

    def fresh(self, now: int, expiry: int) -> dict[str, Any] | None:
        """Return the market if its price is young enough and the expiry is today's."""
        if now < self.first_ns or self.todays_expiry(min(now, expiry - 1)) != expiry:
            return None
        state = self.market(now)
        if state["price"] is None:
            return None
        oldest = self.rules.oldest_price_minutes * MINUTE_NS
        return state if now - state["price_ns"] <= oldest else None

    def is_condition(self, row, limit: float, found: Found) -> bool:
        """EP2: the alert condition, then the filter (P32)."""
        if not (row["pressure"] > limit and row["oi"] > self.rules.oi_above):
            return False
        rules = self.rules
        for name, stops in (
            ("oi_too_small", row["oi"] < rules.filter_oi),
            ("too_far", row["points"] > rules.filter_distance),
            ("too_early", row["minutes_left"] > rules.filter_minutes),
            ("too_weak", row["pressure"] < rules.filter_pressure),
        ):
            if stops:
                found.stopped[name] = found.stopped.get(name, 0) + 1
                return False
        return True

    def signal_class(self, row) -> str:
        minutes, oi, points = row["minutes_left"], row["oi"], row["points"]
        if 45 <= minutes <= 120 and oi > 2000 and points < 20:
            return "PIN_RISK_MANAGEMENT"
        if 15 <= minutes < 45:
            return "STEERING"
        if minutes < 15 and oi > 1500 and points < 8:
            return "ASSIGNMENT_RISK_PANIC"
        return "OTHER"

    def confidence(self, expiry: int, row) -> float:
        if self.rules.confidence == "linear":
            return min(0.95, row["pressure"] / 1000)
        past = self.past(expiry, math.floor(row["minutes_left"]))
        assert past is not None
        return min(0.95, sum(value <= row["pressure"] for value in past) / len(past))

    # --- the clock ------------------------------------------------------------------------------

    def tell_the_time(self, expiry: int, until_ns: int, found: Found) -> None:
        for minutes in (120, 45, 15, 2):
            at = expiry - minutes * MINUTE_NS
            if self.first_ns <= at <= until_ns and self.todays_expiry(at) == expiry:
                found.notices.append((at, "TIMED", float(minutes), None))

    def score(self, expiry: int, until_ns: int, found: Found) -> None:
        if expiry > until_ns or expiry <= self.first_ns:
            return
        last = self.fresh(expiry, expiry)
        for minutes in (180, 120, 90, 60, 45, 30, 15, 10, 5, 2):
            now = expiry - minutes * MINUTE_NS
            state = self.fresh(now, expiry)
            if state is None:
                continue
            for strike in self.strikes(expiry, now):
                row = self.judge(expiry, strike, now, state)
                if row["oi"] <= 0:
                    continue
                low, high = self.band(expiry, strike, now)
                row["inside"] = -1
                if last is not None and not math.isnan(low):
                    row["inside"] = int(low <= last["price"] < high)
                found.samples.append(row)
