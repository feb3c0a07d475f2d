"""Small option tapes with known contents, and scans over them.

Volatility 0 makes every delta 1, 1/2 or 0 by moneyness (precise.md 5), so that a deep call's
demand is its signed quantity and a deep put's its negative: tests can add up by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hedgeflow.market import TapeKind, tape_schema
from hedgeflow.market.coverage import Coverage
from hedgeflow.market.sessions import Sessions, sessions_between
from hedgeflow.market.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, instant_ns
from hedgeflow.signals import ScanOutput, SessionReference, ShockScan
from hedgeflow.signals.daily_volume import DailyVolumes
from hedgeflow.signals.response import CalibratedResponse
from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.strategies.volume_shock.rules import scan_rules
from reference import slow_tape

DAY_ZERO = instant_ns(datetime(2025, 3, 3, tzinfo=UTC))
LOT = 0.1
LOTS_PER_CONTRACT = 10
OPTION_TAPE = tape_schema(TapeKind.OPTION_TRADES)
OPTION_DAYS = tape_schema(TapeKind.OPTION_DAYS)


def at(day: int = 0, hour: int = 12, minute: float = 0, second: float = 0) -> int:
    """Return an instant of the tapes' first fortnight, UTC nanoseconds."""
    clock = round(minute * MINUTE_NS) + round(second * SECOND_NS)
    return DAY_ZERO + day * DAY_NS + hour * HOUR_NS + clock


def trade(
    ts: int, contract: str = "CALL", contracts: float = 1.0, **changes: object
) -> dict[str, object]:
    """Return one print: bought, volatility 0, underlying at 100."""
    row: dict[str, object] = dict.fromkeys(OPTION_TAPE)
    row |= {
        "ts": ts,
        "known_at": ts + MINUTE_NS,
        "contract": contract,
        "price": 1.0,
        "lots": round(contracts * LOTS_PER_CONTRACT),
        "aggressor": 1,
        "iv": 0.0,
        "underlying_price": 100.0,
    }
    return row | changes


def tape(*rows: dict[str, object]) -> pl.DataFrame:
    """Return prints as an option tape, in order of time."""
    ordered = sorted(rows, key=lambda row: row["ts"])
    return pl.DataFrame(ordered, schema=OPTION_TAPE, orient="row")


def option(
    symbol: str,
    right: str = "C",
    strike: float = 50.0,
    *,
    expiry: int = DAY_ZERO + 200 * DAY_NS,
    **changes: object,
) -> dict[str, object]:
    """Return one row of a contracts table; by default a call deep in the money at 100."""
    terms: dict[str, object] = {
        "contract": symbol,
        "right": right,
        "strike": strike,
        "expiry": expiry,
        "multiplier": 1.0,
        "lot": LOT,
        "inverse": False,
        "listed": None,
    }
    return terms | changes


def day_list(day: int, known_at: int | None = None, **contracts: float) -> list[dict[str, Any]]:
    """Return what a venue published of one day's volumes, by default known as the day ends."""
    return [
        {
            "ts": at(day, 0),
            "known_at": at(day + 1, 0) if known_at is None else known_at,
            "contract": symbol,
            "lots": round(volume * LOTS_PER_CONTRACT),
        }
        for symbol, volume in contracts.items()
    ]


def days_tape(*lists: list[dict[str, Any]]) -> pl.DataFrame:
    """Return day lists as an option-days tape."""
    rows = sorted((row for each in lists for row in each), key=lambda row: row["ts"])
    return pl.DataFrame(
        [dict.fromkeys(OPTION_DAYS) | row for row in rows], schema=OPTION_DAYS, orient="row"
    )


def contracts_table(*terms: dict[str, object]) -> pl.DataFrame:
    """Return the columns of a contracts table that a scan reads."""
    time = pl.Datetime("ns", "UTC")
    return pl.DataFrame(
        list(terms),
        schema_overrides={"expiry": time, "listed": time, "multiplier": pl.Float64},
        orient="row",
    )


DEEP = contracts_table(
    option("CALL"),
    option("PUT", "P", 150.0),
    option("CALL2", strike=51.0),
    option("CALL3", strike=52.0),
    option("CALL4", strike=53.0),
    option("PUT-AT-CALL", "P", 50.0),
    option("LATE", strike=50.0, expiry=DAY_ZERO + 201 * DAY_NS),
)
"""Calls of delta 1 and a put of delta -1 at volatility 0; PUT-AT-CALL has delta 0."""


def usual(
    contracts: float, contract: str = "CALL", days: range = range(10), hour: int = 12
) -> list[dict[str, object]]:
    """Return one print in each of the six slots from `hour` on, every day: a known baseline."""
    return [
        trade(at(day, hour, 5 * slot), contract, contracts) for day in days for slot in range(6)
    ]


@dataclass
class FixedReference:
    """A hedge instrument of which the same is known at every session."""

    scale_volume: float | None = None
    response: CalibratedResponse | None = None
    realised: float | None = 0.5

    def session(self, open_ns: int, closed_events: NDArray[Any]) -> SessionReference:
        """Return the same for every session."""
        return SessionReference(self.scale_volume, self.response)

    def realised_volatility(self, now: int) -> float | None:
        """Return the same at every moment."""
        return self.realised


@dataclass
class DailyReference:
    """A hedge instrument whose V5 is listed by days since 1970."""

    volumes: dict[int, float]

    def session(self, open_ns: int, closed_events: NDArray[Any]) -> SessionReference:
        """Return the volume of the day that begins."""
        return SessionReference(self.volumes.get(open_ns // DAY_NS), None)

    def realised_volatility(self, now: int) -> float | None:
        """Return none."""
        return None


def config(preset: str = "source", **sections: dict[str, object]) -> VolumeShockConfig:
    """Return a preset with some settings changed, `config("source", alert={"unit": "event"})`."""
    chosen = VolumeShockConfig.source() if preset == "source" else VolumeShockConfig()
    return chosen.model_copy(
        update={
            name: type(getattr(chosen, name)).model_validate(
                getattr(chosen, name).model_dump() | changes
            )
            for name, changes in sections.items()
        }
    )


def scan_of(
    settings: VolumeShockConfig | None = None,
    terms: pl.DataFrame = DEEP,
    *,
    days: int = 15,
    sessions: Sessions | None = None,
    covered: NDArray[np.bool_] | None = None,
    reference: Any = None,
    resolution_ns: int = MINUTE_NS,
    daily: pl.DataFrame | None = None,
) -> ShockScan:
    """Return a scan; without more, of the source's rules over a fortnight recorded whole."""
    spanned = sessions or sessions_between("24/7", DAY_ZERO, DAY_ZERO + days * DAY_NS - 1)
    recorded = np.ones((spanned.open_ns.size, spanned.slots), np.bool_)
    rules = scan_rules(settings or config(), float(terms["lot"][0]))
    return ShockScan(
        rules,
        terms,
        spanned,
        recorded if covered is None else covered,
        reference or FixedReference(),
        resolution_ns,
        None if daily is None else DailyVolumes(daily, spanned, rules.baselines),
    )


def joined(outputs: list[ScanOutput]) -> ScanOutput:
    """Return the outputs of consecutive slices as if of one, members numbered through."""
    shift = 0
    decisions = []
    for output in outputs:
        moved = output.decisions.copy()
        moved["member_from"] += shift
        moved["member_to"] += shift
        shift += output.members.size
        decisions.append(moved)
    return ScanOutput(
        np.concatenate([output.anomalies for output in outputs]),
        np.concatenate(decisions),
        np.concatenate([output.members for output in outputs]),
        np.concatenate([output.closes for output in outputs]),
        np.concatenate([output.volatility for output in outputs]),
        tuple(source for output in outputs for source in output.volatility_source),
        np.concatenate([output.scale_volume for output in outputs]),
        np.concatenate([output.detected_ns for output in outputs]),
    )


def found(scan: ShockScan, *rows: dict[str, object]) -> ScanOutput:
    """Return everything a scan finds on a tape, the event open at its end closed."""
    return joined([scan.advance(tape(*rows)), scan.finish()])


@dataclass(frozen=True)
class RandomTape:
    """A random tape, the same for the scan and for the slow reference."""

    frame: pl.DataFrame
    terms: pl.DataFrame
    prints: list[slow_tape.Print]
    intervals: list[tuple[int, int]]
    volumes: dict[int, float]
    days: int

    def scan(self, settings: VolumeShockConfig, **changes: Any) -> ShockScan:
        """Return a scan of this tape."""
        sessions = sessions_between("24/7", DAY_ZERO, DAY_ZERO + self.days * DAY_NS - 1)
        covered = Coverage.of(self.intervals).slots(sessions)
        given = {"terms": self.terms, "reference": DailyReference(self.volumes)} | changes
        return scan_of(settings, sessions=sessions, covered=covered, **given)

    def poisoned_after(self, stamp: int, rng: np.random.Generator) -> pl.DataFrame:
        """Return the tape with prices, quantities, sides and order of all later rows changed."""
        later = self.frame.filter(pl.col("ts").dt.timestamp("ns") > stamp)
        later = later.filter(pl.Series(rng.random(later.height) < 0.7, dtype=pl.Boolean))
        poison = later.with_columns(
            price=pl.col("price") * 3.0,
            lots=pl.col("lots") * 7 + 1_000,
            aggressor=-pl.col("aggressor"),
            iv=pl.lit(2.0),
            underlying_price=pl.col("underlying_price") * 1.2,
        )
        kept = self.frame.filter(pl.col("ts").dt.timestamp("ns") <= stamp)
        return pl.concat([kept, poison])


def random_tape(
    seed: int,
    *,
    days: int = 8,
    prints_a_day: int = 60,
    step_ns: int = MINUTE_NS,
    holes: bool = True,
) -> RandomTape:
    """Return heavy-tailed prints around midnight and noon, some of them legs of orders.

    The underlying's price is one per stamp; volatilities are printed, printed as 0, or missing.
    """
    rng = np.random.default_rng(seed)
    terms = [
        option(f"X{number:02}", right, strike, expiry=DAY_ZERO + ahead * DAY_NS + 8 * HOUR_NS)
        for number, (right, strike, ahead) in enumerate(
            (right, strike, ahead)
            for right in "CP"
            for strike in (85.0, 97.0, 100.0, 108.0)
            for ahead in (int(rng.integers(1, days)), days + 40)
        )
    ]
    # A few stretches of each day, so that buckets have history and events cross midnight.
    begins = np.array([0, 12 * 60, 12 * 60 + 25, 23 * 60 + 40]) * MINUTE_NS
    rows: list[dict[str, object]] = []
    spot = 100.0
    for day in range(days):
        offsets = rng.choice(begins, prints_a_day) + rng.integers(0, 20 * MINUTE_NS, prints_a_day)
        stamps = np.sort(DAY_ZERO + day * DAY_NS + offsets // step_ns * step_ns)
        for stamp in np.unique(stamps).tolist():
            spot *= float(np.exp(rng.normal(0.0, 0.004)))
            for _ in range(int((stamps == stamp).sum())):
                rows += _random_order(rng, stamp, round(spot, 2), terms)
    alive = {str(term["contract"]): int(str(term["expiry"])) for term in terms}
    rows = [row for row in rows if int(str(row["ts"])) < alive[str(row["contract"])]]
    intervals = [
        (DAY_ZERO + day * DAY_NS + hour * HOUR_NS, DAY_ZERO + day * DAY_NS + (hour + 6) * HOUR_NS)
        for day in range(days)
        for hour in (0, 6, 12, 18)
        if not holes or rng.random() < 0.85
    ]
    first_day = DAY_ZERO // DAY_NS
    return RandomTape(
        frame=tape(*rows),
        terms=contracts_table(*terms),
        prints=[_slow_print(row, terms) for row in sorted(rows, key=lambda row: row["ts"])],
        intervals=intervals,
        volumes={
            first_day + day: float(rng.choice([60.0, 400.0, 2_000.0]))
            for day in range(days)
            if rng.random() < 0.9
        },
        days=days,
    )


def _random_order(
    rng: np.random.Generator, stamp: int, spot: float, terms: list[dict[str, object]]
) -> list[dict[str, object]]:
    """Return one print, or two to four legs that share ids at random."""
    is_complex = rng.random() < 0.25
    ids = [None, f"c{rng.integers(3)}", f"d{rng.integers(1000)}"]
    rows = []
    for _ in range(int(rng.integers(1, 5)) if is_complex else 1):
        number = int(rng.integers(len(terms)))
        printed = 0.0 if rng.random() < 0.1 else float(rng.uniform(0.3, 0.9))
        lots = 1 + int(np.exp(rng.normal(3.0, 2.0)))
        combo, block = rng.choice(ids, 2) if is_complex else (None, None)
        rows.append(
            trade(
                stamp,
                str(terms[number]["contract"]),
                lots / LOTS_PER_CONTRACT,
                aggressor=int(rng.choice([-1, 1])),
                iv=None if rng.random() < 0.5 else printed,
                price=float(rng.uniform(0.5, 30.0)),
                underlying_price=spot,
                combo_id=combo,
                block_id=block,
            )
        )
    return rows


def _slow_print(row: dict[str, Any], terms: list[dict[str, Any]]) -> slow_tape.Print:
    term = next(term for term in terms if term["contract"] == row["contract"])
    return slow_tape.Print(
        ts_ns=row["ts"],
        contract=row["contract"],
        right=term["right"],
        strike=term["strike"],
        expiry_ns=term["expiry"],
        price=row["price"],
        lots=row["lots"],
        sign=row["aggressor"],
        iv=float("nan") if row["iv"] is None else row["iv"],
        underlying_price=row["underlying_price"],
        combo_id=row["combo_id"],
        block_id=row["block_id"],
    )


def with_multiplier(terms: pl.DataFrame, multiplier: float, lot: float) -> pl.DataFrame:
    """Return the same contracts with another multiplier and lot."""
    return terms.with_columns(multiplier=pl.lit(multiplier), lot=pl.lit(lot))
