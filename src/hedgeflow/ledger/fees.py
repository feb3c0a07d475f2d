"""Dated fee tables by venue: what a taker pays, where it is published, as of when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hedgeflow.market.contracts import HedgeInstrument, HedgeKind
from hedgeflow.market.errors import ConfigError

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class FeeProfile:
    """What a taker without discounts pays a side; rebates are never assumed (precise.md 27).

    Attributes
    ----------
    name : str
        What the configuration calls it; also the venue it resolves from.
    taker_fee_rate : float
        Share of notional (0.0005 is 5 bp).
    fee_per_contract_usd : float
        USD per futures contract, for venues that charge so.
    as_of : str
        ISO date, or year, of the table.
    published : str
        The name of the published table.
    note : str
        What the number leaves out.
    """

    name: str
    taker_fee_rate: float
    fee_per_contract_usd: float
    as_of: str
    published: str
    note: str = ""

    def fee_usd(self, notional_usd: float, contracts: float) -> float:
        """Return the fee of one side, USD."""
        return abs(notional_usd) * self.taker_fee_rate + abs(contracts) * self.fee_per_contract_usd


_PROFILES: Final = (
    FeeProfile(
        "binance", 0.0005, 0.0, "2025", "Binance: USDS-M futures fee rates, regular user",
        "without the 10 % discount for paying in BNB",
    ),
    FeeProfile(
        "bybit", 0.0005, 0.0, "2024-10-16", "Bybit: perpetual and futures contract fees",
        "the specification's 5 bp; the public table names 5.5 bp for accounts without a VIP level",
    ),
    FeeProfile("deribit", 0.0005, 0.0, "2025", "Deribit support: Fees, BTC and ETH perpetual"),
    FeeProfile("backpack", 0.0005, 0.0, "2025", "Backpack Exchange: trading fees, futures tier 1"),
    FeeProfile(
        "us-stocks", 0.0, 0.0, "2019-10", "US retail brokers: commission-free stock trades",
        "SEC and FINRA fees on sales are left out, below 0.3 bp",
    ),
    FeeProfile(
        "cme", 0.0, 2.25, "2024", "CME fee finder, Interactive Brokers commissions",
        "1.38 exchange, 0.02 NFA and 0.85 broker for an E-mini contract",
    ),
    FeeProfile(
        "cme-micro", 0.0, 0.62, "2024", "CME fee finder, Interactive Brokers commissions",
        "0.35 exchange, 0.02 NFA and 0.25 broker for a micro E-mini contract",
    ),
    FeeProfile(
        "nse", 0.0002, 0.0, "2024-10", "NSE: charges on index futures, broker's flat fee left out",
        "0.02 % securities transaction tax on sales, taken for both sides in place of exchange and"
        " stamp charges of about 0.004 %",
    ),
    FeeProfile("sim", 0.0005, 0.0, "2025", "the simulated market's own"),
    FeeProfile("sim-us", 0.0, 2.25, "2025", "the simulated exchange's own, as of an E-mini"),
    FeeProfile("none", 0.0, 0.0, "2025", "no fee, for comparison only"),
    FeeProfile(
        "conservative", 0.0010, 0.0, "2025", "no table: twice the usual perpetual taker fee",
        "taken for a venue whose fees are not known",
    ),
)  # fmt: skip

FEE_PROFILES: Final[dict[str, FeeProfile]] = {profile.name: profile for profile in _PROFILES}
"""Every fee table by name."""

_MICRO_ROOTS: Final = ("MES", "MNQ")
_STOCK_VENUES: Final = frozenset(
    {"us", "usa", "us-stocks", "nyse", "nasdaq", "xnys", "xnas", "arca"}
)
_CME_VENUES: Final = frozenset({"cme", "globex", "cmes", "xcme"})


def fee_profile(name: str, instrument: HedgeInstrument) -> FeeProfile:
    """Return the fee table that a configuration names, or with ``auto`` the instrument's venue's.

    A venue without a table gets ``conservative`` under ``auto``, except that a stock is
    ``us-stocks``; whoever asks says so (see `FeeProfile.note`).

    Raises
    ------
    ConfigError
        No table has that name, or the instrument is an index.
    """
    instrument.require_tradable()
    if name == AUTO:
        return _venue_profile(instrument)
    try:
        return FEE_PROFILES[name]
    except KeyError as cause:
        raise ConfigError(
            f"no fee table is called '{name}'",
            where="costs.fee_profile",
            hint=f"Use auto or one of {', '.join(sorted(FEE_PROFILES))}",
        ) from cause


def _venue_profile(instrument: HedgeInstrument) -> FeeProfile:
    venue = instrument.venue.lower()
    if instrument.kind is HedgeKind.FUTURE and (venue in _CME_VENUES or venue not in FEE_PROFILES):
        micro = instrument.symbol.startswith(_MICRO_ROOTS)
        return FEE_PROFILES["cme-micro" if micro else "cme"]
    if instrument.kind is HedgeKind.STOCK and (venue in _STOCK_VENUES or venue not in FEE_PROFILES):
        return FEE_PROFILES["us-stocks"]
    return FEE_PROFILES.get(venue, FEE_PROFILES["conservative"])
