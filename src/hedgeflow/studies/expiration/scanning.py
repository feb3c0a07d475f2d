"""A scan of a market's expiries: the fold over its events, and the alerts that it makes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.evidence.wording import counted
from hedgeflow.journal import columns
from hedgeflow.market.expiries import features_at, fixing_minutes, settlement_kind
from hedgeflow.market.time import DAY_NS, MINUTE_NS, moment_of
from hedgeflow.signals.alerts import ALERT_SCHEMA
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.settlement import SettlementOutput, SettlementScan
from hedgeflow.signals.settlement_events import EventKind
from hedgeflow.signals.settlement_rules import (
    CONDITION,
    LADDER,
    NOTICE,
    SAMPLE,
    SignalClass,
    Urgency,
)
from hedgeflow.strategies.expiration_pressure.plan import NoPlan, side_of
from hedgeflow.strategies.expiration_pressure.rules import pressure_rules
from hedgeflow.studies.expiration.feed import feed_of, session_minutes
from hedgeflow.studies.study import ScanResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.expiration.feed import Feed
    from hedgeflow.studies.markets import Market

FIRST_MARK_MINUTES: Final = 180
"""Before each expiry: what was known then of open interest and gamma is kept."""
BASES: Final = {
    GammaConvention.LONG_CALLS_SHORT_PUTS: "the convention that dealers are long calls and short"
    " puts",
    GammaConvention.SHORT_ALL: "the convention that dealers are short every option",
    GammaConvention.SIGNED_FLOW: "the volume that was signed since the tapes begin",
}


def scan_expiries(
    market: Market,
    config: ExpirationPressureConfig,
    progress: Callable[[int, int], None] | None = None,
) -> ScanResult:
    """Fold a market's events and return what came to light.

    Of a part of a market, what came before it is folded and known, but neither conditions nor
    alerts nor samples of it are counted.

    Parameters
    ----------
    market : Market
    config : ExpirationPressureConfig
    progress : callable, optional
        Called with events done and events in all.
    """
    feed = feed_of(market, config)
    scan = expiry_scan(market, config, feed)
    found, ladders = _folded(scan, feed, progress)
    since = -(2**63) if market.from_ns is None else market.from_ns
    conditions, notices, samples = (
        rows[rows[stamp] >= since]
        for rows, stamp in zip(found, ("at_ns", "at_ns", "expiry_ns"), strict=True)
    )
    counts = scan.counts
    expiries = counts[(counts["evaluations"] > 0) & (counts["expiry_ns"] >= since)]
    frames = {
        "conditions": _with_fixing(pl.DataFrame(conditions), market),
        "notices": pl.DataFrame(notices),
        "samples": pl.DataFrame(samples),
        "ladders": ladders.filter(pl.col("expiry_ns") >= since),
        "prices": _series(feed, EventKind.PRICE),
        "sigmas": _series(feed, EventKind.SIGMA),
        "expiry_counts": pl.DataFrame(expiries),
    }
    scales = [market.volume.scale_volume(int(at)) for at in market.sessions.open_ns.tolist()]
    known = [each for each in scales if each]
    return ScanResult(
        alerts=alerts_of(conditions, market, config, feed),
        anomalies=pl.DataFrame(schema=dict.fromkeys(columns("anomalies"), pl.Null)),
        events=pl.DataFrame(schema={"event_id": pl.Int64}),
        prints=feed.rows,
        counts={name: int(expiries[name].sum()) for name in _COUNTED},
        scale_volume=float(np.median(known)) if known else None,
        notes=tuple(_notes(feed, conditions, expiries, config, market.underlying)),
        more=frames,
    )


_COUNTED: Final = (
    "evaluations", "conditions", "stale_price", "no_history", "no_sigma", "no_scale", "no_model",
    "below_open_interest", "oi_too_small", "too_far", "too_early", "too_weak",
)  # fmt: skip


def _with_fixing(conditions: pl.DataFrame, market: Market) -> pl.DataFrame:
    """Return conditions with how long before expiry the average begins that settles it."""
    instants = conditions["expiry_ns"].unique()
    venue = market.options.venue
    known = pl.DataFrame(
        {
            "expiry_ns": instants,
            "fixing_minutes": [
                fixing_minutes(market.underlying, at, venue) for at in instants.to_list()
            ],
        },
        schema_overrides={"fixing_minutes": pl.Float64},
    )
    return conditions.join(known, on="expiry_ns", how="left", maintain_order="left")


def expiry_scan(market: Market, config: ExpirationPressureConfig, feed: Feed) -> SettlementScan:
    """Return the fold of a market's events, before the first."""
    rules = pressure_rules(config, market.sessions.minutes_per_year)
    return SettlementScan(rules, feed.chain, session_minutes(market, feed.chain))


def _folded(
    scan: SettlementScan, feed: Feed, progress: Callable[[int, int], None] | None
) -> tuple[SettlementOutput, pl.DataFrame]:
    """Return all that the fold gives, and the ladder of each expiry at its first mark."""
    outputs = [SettlementOutput(np.zeros(0, CONDITION), np.zeros(0, NOTICE), np.zeros(0, SAMPLE))]
    known = np.ascontiguousarray(feed.events["known_ns"])  # searched for each day and mark
    first_mark = FIRST_MARK_MINUTES * MINUTE_NS
    marks = [int(at) - first_mark for at in feed.chain.expiry_ns.tolist()]
    ladders: list[pl.DataFrame] = []
    done = 0
    for stop, mark in _cuts(known, marks):
        outputs.append(scan.advance(feed.events[done:stop]))
        done = stop
        if mark is not None and mark >= int(known[0]):
            outputs.append(scan.advance_to(mark))
            expiry = scan.live_expiry_ns
            if expiry == mark + first_mark:
                rungs = pl.DataFrame(scan.ladder(mark))
                ladders.append(rungs.with_columns(expiry_ns=pl.lit(expiry, pl.Int64)))
        if progress is not None:
            progress(done, feed.events.size)
    if known.size:
        outputs.append(scan.advance_to(int(known[-1]) + 1))
    of_ladder = dict.fromkeys(LADDER.names or (), pl.Float64) | {"expiry_ns": pl.Int64}
    return (
        SettlementOutput(
            np.concatenate([each.conditions for each in outputs]),
            np.concatenate([each.notices for each in outputs]),
            np.concatenate([each.samples for each in outputs]),
        ),
        pl.concat([each.cast(of_ladder) for each in ladders])  # pyright: ignore[reportArgumentType]
        if ladders
        else pl.DataFrame(schema=of_ladder),
    )


def _cuts(known: NDArray[np.int64], marks: list[int]) -> Iterable[tuple[int, int | None]]:
    """Return where to stop in the events, day by day and at each mark, which is then due."""
    if not known.size:
        return
    days = np.arange(int(known[0]) // DAY_NS + 1, int(known[-1]) // DAY_NS + 1) * DAY_NS
    inside = [mark for mark in marks if mark <= int(known[-1])]
    stops = [(day, False) for day in days.tolist()] + [(mark, True) for mark in inside]
    for at, is_mark in sorted(stops):
        stop = int(np.searchsorted(known, at, side="right" if is_mark else "left"))
        yield stop, at if is_mark else None
    yield known.size, None


def looked_at(expiries: int) -> str:
    """Return how many expiries there were looks at, the beginning of a sentence."""
    return "1 expiry was looked at" if expiries == 1 else f"{expiries:,} expiries were looked at"


def strike_label(underlying: str, expiry_ns: int, strike: float) -> str:
    """Return how a strike of an expiry is called, as in ``AAPL 2014-06-06 645``."""
    return f"{underlying} {moment_of(expiry_ns).date().isoformat()} {strike:g}"


def alerts_of(
    conditions: NDArray[Any], market: Market, config: ExpirationPressureConfig, feed: Feed
) -> pl.DataFrame:
    """Return the alerts of conditions, one row each, as the journal takes them."""
    first = conditions[conditions["is_new"]]
    kinds = _settlements(market)
    rows = [
        _alert(row, market, config, feed, kinds[int(row["expiry_ns"])]) for row in _named(first)
    ]
    return pl.DataFrame(rows, schema=ALERT_SCHEMA, orient="row").sort("detected_ns", "alert_id")


def _settlements(market: Market) -> dict[int, str]:
    """Return what happens at each expiry, as `SettlementKind` names it."""
    venue, terms = market.options.venue, market.contracts
    return {
        at: settlement_kind(venue, settlement).value
        for at, settlement in zip(
            terms["expiry"].dt.timestamp("ns").to_list(), terms["settlement"].to_list(), strict=True
        )
    }


def alert_id(expiry_ns: int, strike: float, alert_number: int) -> str:
    """Return the name of an alert, unique in its run."""
    return f"{moment_of(expiry_ns):%Y%m%dT%H%M}-{strike:g}-{alert_number}"


def _named(rows: NDArray[Any]) -> Iterable[dict[str, Any]]:
    names = rows.dtype.names or ()
    for row in rows.tolist():
        yield dict(zip(names, row, strict=True))


def _alert(
    row: dict[str, Any],
    market: Market,
    config: ExpirationPressureConfig,
    feed: Feed,
    settlement: str,
) -> dict[str, Any]:
    strike, at = float(row["strike"]), int(row["at_ns"])
    label = strike_label(market.underlying, int(row["expiry_ns"]), strike)
    side = side_of(row, config)
    direction = (
        None if isinstance(side, NoPlan) else ("BUY_FUTURES" if side[1] > 0 else "SELL_FUTURES")
    )
    urgency = Urgency(int(row["urgency"])).name
    basis = GammaConvention(int(row["gamma_basis"]))
    details = {
        "strike": strike,
        "settlement": settlement,
        "settled_oi": row["settled_oi"],
        "estimated_oi": row["estimated_oi"],
        "oi_low": row["oi_low"],
        "oi_high": row["oi_high"],
        "probability": row["probability"],
        "distance": row["distance"],
        "target_distance": row["target_distance"],
        "threshold": row["threshold"],
        "dealer_gamma": row["dealer_gamma"],
        "gamma_basis": basis.name,
        **asdict(features_at(int(row["expiry_ns"]), market.options.venue, market.underlying)),
    }
    return {
        "alert_id": alert_id(int(row["expiry_ns"]), strike, int(row["alert_number"])),
        "event_id": int(row["alert_number"]),
        "unit": "strike",
        "triggered_ns": at,
        "detected_ns": at,
        "underlying": market.underlying,
        "contract": label,
        "direction": direction,
        "pressure": float(row["pressure"]),
        "response_minutes": float(row["minutes_left"]),
        "urgency": urgency,
        "flow_class": SignalClass(int(row["signal_class"])).name,
        "confidence": float(row["confidence"]),
        "strikes": 1,
        "volume_contracts": float(row["oi"]),
        "spot": float(row["price"]),
        "point": float(row["point"]),
        "sigma": _known(row["sigma"]),
        "sigma_source": feed.sigma_source(at),
        "scale_volume": _known(row["scale"]),
        "members_json": json.dumps({name: _known(value) for name, value in details.items()}),
        "sentence": (
            f"{urgency}: {row['oi']:,.0f} contracts of open interest at {label},"
            f" {row['distance']:g} from the price {row['price']:g}, {row['minutes_left']:.1f}"
            f" minutes before expiry: pressure {row['pressure']:.3g}; dealers' gamma by"
            f" {BASES[basis]} {_sign_words(row['dealer_units'])}."
        ),
    }


def _series(feed: Feed, kind: EventKind) -> pl.DataFrame:
    """Return what was known of one kind, by instant: the last, and none older than one before."""
    rows = feed.events[feed.events["kind"] == kind]
    frame = pl.DataFrame({name: rows[name] for name in ("known_ns", "observed_ns", "value")})
    newest = pl.col("observed_ns").cum_max()
    return frame.filter(pl.col("observed_ns") == newest).unique(
        "known_ns", keep="last", maintain_order=True
    )


def _sign_words(units: float) -> str:
    if units != units:  # noqa: PLR0124 - only NaN differs from itself
        return "is not known"
    return "is long" if units > 0 else "is short" if units < 0 else "is zero"


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _notes(
    feed: Feed,
    conditions: NDArray[Any],
    expiries: NDArray[Any],
    config: ExpirationPressureConfig,
    underlying: str,
) -> Iterable[str]:
    looked = expiries.size
    yield (
        f"{looked_at(looked)} {int(expiries['evaluations'].sum()):,} times;"
        f" {conditions.size:,} times a strike met the alert condition, in"
        f" {counted(int(conditions['is_new'].sum()), 'alert')}."
    )
    words = {
        "no_history": f"NO_HISTORY: fewer than {config.pressure.quantile_expiries} earlier expiries"
        " at the same minute left",
        "no_sigma": "no volatility was known, which distances or the model need",
        "no_scale": "NO_SCALE: V5 of the hedge instrument was not known",
        "no_model": "the empirical model had too few earlier expiries",
    }
    for name, reason in words.items():
        count = int(expiries[name].sum())
        if count:
            yield f"{counted(count, 'look')} gave no alert: {reason}."
    below = int(expiries["below_open_interest"].sum())
    if below:
        yield (
            f"{counted(below, 'look')} gave no alert: no strike had more open interest than"
            f" {config.pressure.oi_above:,.10g} contracts of 100 {underlying}; the most at any look"
            f" was {expiries['largest_oi'].max():,.10g}."
        )
    stale = int(expiries["stale_price"].sum())
    if stale:
        yield (
            f"{stale:,} times there was news but no look, for want of a price at most"
            f" {config.clock.oldest_price_minutes:g} minutes old."
        )
    without = int(np.isnan(expiries["finish"]).sum())
    if without:
        yield (
            f"At {without:,} of {looked:,} expiries no price was at most"
            f" {config.clock.oldest_price_minutes:g} minutes old: nothing is scored there."
        )
    if looked:
        latest = np.median((expiries["expiry_ns"] - expiries["last_ns"]) / 6e10)
        if latest > config.clock.crisis_minutes:
            yield (
                f"The last price or open interest known before expiry is {latest:,.0f} minutes old"
                " at the median: what is claimed of the urgencies nearer to expiry is UNTESTABLE."
            )
    yield (
        "Prices are looked at once at each bar's end, and wherever open interest changes or a"
        " snapshot comes."
    )
    if not feed.signed:
        yield "No print of the options is known, so open interest is as it was last published."
