"""What evidence judges of an expiration-pressure run: the record, closes beside strikes, scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from hedgeflow.evidence import EvidenceTables, NullDraws
from hedgeflow.evidence.expiry_tables import (
    EXPIRY_COLUMNS,
    EXPIRY_PRICE_COLUMNS,
    STRIKE_PROBABILITY_COLUMNS,
)
from hedgeflow.fills import CostModel
from hedgeflow.market.tapes import TapeKind
from hedgeflow.market.time import DAY_NS, MINUTE_NS, moment_of
from hedgeflow.signals.chain import chain_of
from hedgeflow.signals.dealer_gamma import GammaConvention
from hedgeflow.signals.settlement_probability import remaining_deviation
from hedgeflow.strategies.claims import NullKind
from hedgeflow.studies.expiration.days import days_beside_expiries
from hedgeflow.studies.expiration.markets import is_stand_in
from hedgeflow.studies.expiration.scanning import FIRST_MARK_MINUTES
from hedgeflow.studies.matched_entries import direction_null, matched_null, session_direction_null
from hedgeflow.studies.sessions import session_dates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
    from hedgeflow.studies.backtesting import Backtest
    from hedgeflow.studies.markets import Market
    from hedgeflow.studies.study import ScanResult

MARKS_MINUTES: Final = (FIRST_MARK_MINUTES, 60, 30, 15)
OLDEST_MARK_PRICE_MINUTES: Final = 720.0
"""An older price is none of a mark: the snapshots of some venues come every six hours."""
NEAR_STRIKES: Final = 10
"""On either side of the price; among them is the heaviest."""
WIDEST_GAP: Final = 1.5
"""Times the usual spacing of strikes: where a tape does not show whole chains, no listed strike is
known across a wider gap."""
NOT_OF_SHOCKS: Final = (
    "demand", "demand_scaled", "ratio", "tier", "flow_class_at_close", "concentration",
    "expected_hedge_contracts", "hedge_to_come", "demand_low", "demand_high", "demand_expected",
    "signing_json", "baseline_origin",
)  # fmt: skip
"""Columns of the journal's alerts that this strategy has nothing to say in."""


def evidence_tables(
    market: Market, config: ExpirationPressureConfig, result: Backtest
) -> tuple[EvidenceTables, list[str]]:
    """Return the tables that evidence judges, and what to say of them.

    Look-ahead: a study of what followed; nothing here is seen by signals or by a replay.
    """
    expiries, prices, notes = closes(market, config, result.scan)
    stand_in = ""
    if is_stand_in(market.hedge):
        stand_in = f"{market.bars_key.instrument} is an index, at whose level nobody can trade"
    tables = EvidenceTables(
        trades=result.trades,
        alerts=result.alerts.drop(NOT_OF_SHOCKS, strict=False),
        decisions=result.decisions,
        ledger_entries=result.ledger_entries,
        sessions=session_dates(market, config, set(result.trades["session"])),
        sessions_per_year=float(market.sessions.per_year),
        nulls=_drawn(config, result),
        nulls_missing="there are no trades to match",
        flow_untestable_reason="expiration pressure predicts no hedge flow",
        prices_missing="expiration pressure predicts no price response of its own",
        expiries=expiries,
        expiry_prices=prices,
        strike_probabilities=probabilities(market, result.scan),
        expiries_missing="no expiry lies within the recorded time",
        strike_probabilities_missing="no price was known near enough to a mark and to its expiry",
        price_stand_in=stand_in,
        costs_note=CostModel.of(config.costs, market.hedge).sentence,
        latency_limit_seconds=config.plan.oldest_alert_minutes * 60.0,
    )
    return tables, notes


def _drawn(config: ExpirationPressureConfig, result: Backtest) -> dict[NullKind, NullDraws]:
    draws = {
        NullKind.MATCHED_ENTRIES: matched_null(result.trades, result.tape, config),
        NullKind.DIRECTIONS: direction_null(result.trades, result.tape, config),
        NullKind.SESSION_DIRECTIONS: session_direction_null(result.trades, result.tape, config),
    }
    return {kind: null for kind, null in draws.items() if null is not None}


def probabilities(market: Market, scan: ScanResult) -> pl.DataFrame:
    """Return what the three models said of each strike at each mark, and what happened."""
    samples = scan.more["samples"].filter(pl.col("inside") >= 0)
    return samples.select(
        underlying=pl.lit(market.underlying),
        date=pl.from_epoch("expiry_ns", time_unit="ns").dt.date().cast(pl.String),
        mark_minutes=pl.col("minutes_left").round().cast(pl.Int64),
        strike="strike",
        distance_sigmas=_number("distance_sigmas"),
        source=_number("source"),
        lognormal=_number("lognormal"),
        empirical=_number("empirical"),
        inside=pl.col("inside") == 1,
    ).cast(STRIKE_PROBABILITY_COLUMNS)  # pyright: ignore[reportArgumentType]


def _number(name: str) -> pl.Expr:
    return pl.col(name).fill_nan(None)


def closes(
    market: Market, config: ExpirationPressureConfig, scan: ScanResult
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Return closes beside strikes, prices at fixed marks before them, and what to say of both.

    Which days those are: `days_beside_expiries`. A control day before a strike of its expiry was
    listed is none.

    Look-ahead: only strikes count that were listed by the close; for the heaviest, by the mark.
    """
    known = _Known(market, scan)
    days, notes = days_beside_expiries(market, known.expiries, known.first_ns, known.last_ns)
    rows: list[dict[str, Any]] = []
    prices: list[dict[str, Any]] = []
    oldest = config.clock.oldest_price_minutes
    for day in days:
        instant, expiry, is_expiry, cycle = day
        date = moment_of(instant).date().isoformat()
        close, stale = known.price(instant)
        if close is None or stale > DAY_NS / MINUTE_NS:
            continue
        if not is_expiry and not known.strikes(expiry, instant).size:
            continue
        marks = _marks(market, known, instant, date)
        prices += marks
        fresh = close if stale <= oldest else None
        rows.append(
            {
                "underlying": market.underlying,
                "date": date,
                "is_expiry": is_expiry,
                "cycle": cycle,
                "instant_ns": instant,
                "close": fresh,
                "stale_minutes": stale,
                **known.enclosing(expiry, instant, fresh),
                **known.heaviest(expiry, instant, marks[0] if marks else None),
            }
        )
    return (
        pl.DataFrame(rows, schema=EXPIRY_COLUMNS, orient="row"),
        pl.DataFrame(prices, schema=EXPIRY_PRICE_COLUMNS, orient="row"),
        notes,
    )


def _marks(market: Market, known: _Known, instant: int, date: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for mark in MARKS_MINUTES:
        at = instant - mark * MINUTE_NS
        price, stale = known.price(at)
        if price is None or stale > OLDEST_MARK_PRICE_MINUTES:
            continue
        sigma = known.sigma(at)
        left = mark + stale
        move = None
        if sigma is not None:
            move = price * remaining_deviation(sigma, left, market.sessions.minutes_per_year)
        rows.append(
            {
                "underlying": market.underlying,
                "date": date,
                "mark_minutes": mark,
                "minutes_before": left,
                "price": price,
                "expected_move": move,
            }
        )
    return rows


class _Known:
    """Prices, volatilities, strikes and open interest of a market, as they were known."""

    def __init__(self, market: Market, scan: ScanResult) -> None:
        prices, sigmas = scan.more["prices"], scan.more["sigmas"]
        self._price_ns = prices["known_ns"].to_numpy()
        self._observed_ns = prices["observed_ns"].to_numpy()
        self._price = prices["value"].to_numpy()
        self._sigma_ns = sigmas["known_ns"].to_numpy()
        self._sigma = sigmas["value"].to_numpy()
        self._ladders = scan.more["ladders"]
        terms = market.contracts.with_columns(expiry_ns=pl.col("expiry").dt.timestamp("ns"))
        self._chain = chain_of(market.contracts)
        self._whole = _whole_chains(market, terms)
        self._interest = _interest(market, terms)
        self.expiries: list[int] = self._chain.expiry_ns.tolist()
        self.first_ns = int(self._price_ns[0]) if self._price_ns.size else 0
        self.last_ns = int(self._price_ns[-1]) if self._price_ns.size else -1

    def price(self, at_ns: int) -> tuple[float | None, float]:
        """Return the last price known by an instant, and how old it was, minutes."""
        place = int(np.searchsorted(self._price_ns, at_ns, side="right")) - 1
        if place < 0:
            return None, float("inf")
        return float(self._price[place]), (at_ns - int(self._observed_ns[place])) / MINUTE_NS

    def sigma(self, at_ns: int) -> float | None:
        """Return the volatility in force at an instant."""
        place = int(np.searchsorted(self._sigma_ns, at_ns, side="right")) - 1
        found = float(self._sigma[place]) if place >= 0 else float("nan")
        return found if found > 0.0 else None

    def strikes(self, expiry: int, at_ns: int) -> NDArray[np.float64]:
        """Return an expiry's strikes that were listed by an instant, ascending."""
        own = self._places(expiry)
        return self._chain.strike[own][self._chain.listed_ns[own] <= at_ns]

    def _places(self, expiry: int) -> slice:
        number = int(np.searchsorted(self._chain.expiry_ns, expiry))
        return slice(*self._chain.first_strike[number : number + 2].tolist())

    def enclosing(self, expiry: int, at_ns: int, close: float | None) -> dict[str, float | None]:
        """Return the strikes around a close at an instant, of those listed by then."""
        nothing = {"strike_below": None, "strike_above": None}
        strikes = self.strikes(expiry, at_ns)
        if close is None or strikes.size < 2:
            return dict(nothing)
        place = int(np.searchsorted(strikes, close, side="right"))
        if not 0 < place < strikes.size:
            return dict(nothing)
        below, above = float(strikes[place - 1]), float(strikes[place])
        near = strikes[max(0, place - NEAR_STRIKES) : place + NEAR_STRIKES]
        too_wide = above - below > WIDEST_GAP * float(np.median(np.diff(near)))
        if too_wide and expiry not in self._whole:
            return dict(nothing)
        return {"strike_below": below, "strike_above": above}

    def heaviest(self, expiry: int, instant: int, mark: dict[str, Any] | None) -> dict[str, Any]:
        """Return the strike with the most open interest near a mark's price, and its gamma."""
        found: dict[str, Any] = {
            "heaviest_strike": None,
            "heaviest_open_interest": None,
            "dealer_gamma": None,
            "gamma_basis": None,
        }
        if mark is None:
            return found
        at = instant - int(mark["mark_minutes"]) * MINUTE_NS
        strikes = self.strikes(expiry, at)
        place = int(np.searchsorted(strikes, float(mark["price"]), side="right"))
        near = strikes[max(0, place - NEAR_STRIKES) : place + NEAR_STRIKES]
        rows = self._interest.get(expiry)
        if rows is None:
            return found
        held = (
            rows.filter((pl.col("known_ns") <= at) & pl.col("strike").is_in(near.tolist()))
            .group_by("contract")
            .last()
            .group_by("strike")
            .agg(pl.col("open_interest").sum())
            .filter(pl.col("open_interest") > 0.0)
            .sort("open_interest", "strike", descending=[True, False])
        )
        if held.is_empty():
            return found
        strike = float(held["strike"][0])
        found |= {
            "heaviest_strike": strike,
            "heaviest_open_interest": float(held["open_interest"][0]),
        }
        rung = self._ladders.filter((pl.col("expiry_ns") == expiry) & (pl.col("strike") == strike))
        if expiry == instant and rung.height and not np.isnan(float(rung["dealer_gamma"][0])):
            basis = GammaConvention(int(rung["gamma_basis"][0]))
            signed = basis is GammaConvention.SIGNED_FLOW
            found |= {
                "dealer_gamma": float(rung["dealer_gamma"][0]),
                "gamma_basis": "signed" if signed else basis.name.lower().replace("_", "-"),
            }
        return found


def _whole_chains(market: Market, terms: pl.DataFrame) -> set[int]:
    """Return the expiries of which snapshots showed every strike since it was listed."""
    if market.options.kind is not TapeKind.OPTION_SNAPSHOTS:
        return set()
    known = terms.group_by("expiry_ns").agg(pl.col("listed").is_not_null().all())
    return set(known.filter("listed")["expiry_ns"].to_list())


def _interest(market: Market, terms: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """Return open interest by expiry: which contract had how much, from when on it was known."""
    if market.open_interest is not None:
        rows = market.open_interest
    elif market.options.kind is TapeKind.OPTION_SNAPSHOTS:
        rows = pl.concat(list(market.option_tape.slices()))
    else:
        return {}
    named = (
        rows.filter(pl.col("open_interest").is_not_null())
        .select("contract", "open_interest", known_ns=pl.col("known_at").dt.timestamp("ns"))
        .join(terms.select("contract", "strike", "expiry_ns"), on="contract")
        .sort("known_ns")
    )
    return {int(expiry): group for (expiry,), group in named.group_by("expiry_ns")}
