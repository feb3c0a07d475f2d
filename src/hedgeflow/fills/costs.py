"""What a side of a trade costs: fee, half spread, slippage; no rebate (precise.md 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hedgeflow.ledger.entries import SideCosts
from hedgeflow.ledger.fees import FeeProfile, fee_profile
from hedgeflow.market.contracts import HedgeInstrument
from hedgeflow.strategies.settings import Costs

BPS: Final = 1e-4


@dataclass(frozen=True, slots=True)
class CostModel:
    """The costs of trading one instrument at market.

    Attributes
    ----------
    instrument : HedgeInstrument
    profile : FeeProfile
        The dated fee table in use.
    half_spread_bps : float
        Assumed half spread relative to price, where no quotes exist.
    half_spread_price : float
        Assumed half spread in price units, where no quotes exist; the two add.
    slippage_bps : float
        Beyond the half spread, a side.
    cost_multiple : float
        0, 1 or 2 in the cost studies; it scales every cost.
    """

    instrument: HedgeInstrument
    profile: FeeProfile
    half_spread_bps: float
    half_spread_price: float
    slippage_bps: float
    cost_multiple: float

    @classmethod
    def of(cls, costs: Costs, instrument: HedgeInstrument) -> CostModel:
        """Return the model that a configuration means for an instrument.

        Raises
        ------
        ConfigError
            The fee table that it names does not exist.
        """
        spread_bps, spread_price = costs.half_spread(instrument.kind, instrument.tick)
        return cls(
            instrument=instrument,
            profile=fee_profile(costs.fee_profile, instrument),
            half_spread_bps=spread_bps,
            half_spread_price=spread_price,
            slippage_bps=costs.slippage_bps,
            cost_multiple=costs.cost_multiple,
        )

    def half_spread(self, price: float) -> float:
        """Return the assumed half spread, price units."""
        return price * self.half_spread_bps * BPS + self.half_spread_price

    def side(self, price: float, contracts: float, *, at_quotes: bool = False) -> SideCosts:
        """Return what one side costs.

        Parameters
        ----------
        price : float
            Fill price before costs.
        contracts : float
            Standard contracts, non-negative.
        at_quotes : bool
            The price is a quoted bid or ask, so it already holds the half spread.
        """
        units = contracts * self.instrument.units_per_contract
        notional = units * price
        venue_contracts = contracts * self.instrument.standard_contract_units
        spread = 0.0 if at_quotes else units * self.half_spread(price)
        return SideCosts(
            self.cost_multiple * self.profile.fee_usd(notional, venue_contracts),
            self.cost_multiple * spread,
            self.cost_multiple * notional * self.slippage_bps * BPS,
        )

    def round_trip_usd(self, price: float, *, at_quotes: bool = False) -> float:
        """Return what one standard contract costs in and out at one price, USD."""
        return 2.0 * self.side(price, 1.0, at_quotes=at_quotes).total_usd

    @property
    def sentence(self) -> str:
        """The fee table, its date and its note, in words."""
        profile = self.profile
        fee = (
            f"{profile.fee_per_contract_usd:.2f} USD a contract"
            if profile.fee_per_contract_usd
            else f"{profile.taker_fee_rate / BPS:g} bp of notional"
        )
        note = f" ({profile.note})" if profile.note else ""
        return (
            f"{self.instrument.symbol} pays {fee} a side by the table '{profile.name}', "
            f"{profile.published}, {profile.as_of}{note}; all costs times {self.cost_multiple:g}."
        )
