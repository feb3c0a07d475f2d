"""Sizing: the caps on a plan, the one that binds, and the floor to the lot after all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.strategies.entry_plan import EntryPlan
from hedgeflow.strategies.settings import TradeRisk

LOT_TOLERANCE: Final = 1e-9
"""Of a lot: 0.3 / 0.1 is three lots, not two."""


class Cap(NamedTuple):
    """One upper bound on a size, standard contracts, and what it is called."""

    name: str
    contracts: float


@dataclass(frozen=True, slots=True)
class Sizing:
    """A size after all caps.

    Attributes
    ----------
    contracts : float
        Standard contracts, a multiple of the lot, possibly 0.
    bound_by : str
        The smallest cap, or ``plan``.
    before_rounding : float
        The size before it was floored to the lot.
    risk_usd, margin_usd : float
        Of `contracts`.
    """

    contracts: float
    bound_by: str
    before_rounding: float
    risk_usd: float
    margin_usd: float


def size_plan(
    plan: EntryPlan,
    instrument: HedgeInstrument,
    rules: TradeRisk,
    *,
    equity_usd: float,
    day_risk_left_usd: float,
    open_margin_usd: float,
    cost_per_contract_usd: float,
    size_multiplier: float = 1.0,
    held_contracts: float = 0.0,
    held_risk_usd: float = 0.0,
) -> Sizing:
    """Return the size that every cap of volume-shock.md 7 allows, floored to the lot.

    Parameters
    ----------
    plan : EntryPlan
    instrument : HedgeInstrument
    rules : TradeRisk
    equity_usd : float
        The account now.
    day_risk_left_usd : float
        What the daily limit leaves.
    open_margin_usd : float
        Margin that open positions hold.
    cost_per_contract_usd : float
        In and out, one standard contract.
    size_multiplier : float
        0.5 while the volatility index is at 40 or above: it halves the planned size, before caps.
    held_contracts, held_risk_usd : float
        Of the position that this is added to: the caps of one trade hold for both together.
    """
    risk_per_contract = risk_usd(plan, instrument, 1.0, cost_per_contract_usd)
    margin_per_contract = (
        plan.reference_price * instrument.units_per_contract * margin_rate(instrument, rules)
    )
    share, share_name = rules.per_trade_of(plan.flow_class)
    caps = (
        Cap("plan", plan.size_contracts * size_multiplier),
        Cap("contracts", rules.contracts - held_contracts),
        Cap(share_name, (share * equity_usd - held_risk_usd) / risk_per_contract),
        Cap("per_day", day_risk_left_usd / risk_per_contract),
        *_margin_caps(rules, equity_usd, open_margin_usd, margin_per_contract),
    )
    tightest = min(caps, key=lambda cap: cap.contracts)
    before = max(0.0, tightest.contracts)
    contracts = floor_to_lot(before, instrument.lot)
    return Sizing(
        contracts=contracts,
        bound_by=tightest.name,
        before_rounding=before,
        risk_usd=contracts * risk_per_contract,
        margin_usd=contracts * margin_per_contract,
    )


def risk_usd(
    plan: EntryPlan, instrument: HedgeInstrument, contracts: float, cost_per_contract_usd: float
) -> float:
    """Return size x stop distance x multiplier + costs, USD (precise.md 26)."""
    return contracts * (plan.stop_distance * instrument.units_per_contract + cost_per_contract_usd)


def margin_rate(instrument: HedgeInstrument, rules: TradeRisk) -> float:
    """Return the initial margin, share of notional; ConfigError for an index."""
    instrument.require_tradable()
    stock = instrument.kind is HedgeKind.STOCK
    return rules.initial_margin_stock if stock else rules.initial_margin


def margin_limit_usd(rules: TradeRisk, equity_usd: float) -> float:
    """Return the margin that all positions together may hold, USD.

    The tightest of the pre-positioned buying power, the utilisation target's share of the account,
    and the account less its cash reserve.
    """
    return min(_margin_limits(rules, equity_usd).values())


def _margin_limits(rules: TradeRisk, equity_usd: float) -> dict[str, float]:
    return {
        "buying_power": rules.buying_power_usd,
        "margin_utilisation": rules.margin_utilisation * equity_usd,
        "cash_reserve": (1.0 - rules.cash_reserve) * equity_usd,
    }


def _margin_caps(
    rules: TradeRisk, equity_usd: float, open_margin_usd: float, margin_per_contract: float
) -> tuple[Cap, ...]:
    if margin_per_contract <= 0:
        return ()
    return tuple(
        Cap(name, (limit - open_margin_usd) / margin_per_contract)
        for name, limit in _margin_limits(rules, equity_usd).items()
    )


MARGIN_CAPS: Final = frozenset({"buying_power", "margin_utilisation", "cash_reserve"})


def floor_to_lot(contracts: float, lot: float) -> float:
    """Return the largest multiple of the lot that is not above a size."""
    return round(math.floor(contracts / lot + LOT_TOLERANCE) * lot, 9)
