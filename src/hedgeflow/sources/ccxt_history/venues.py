"""What is known of each exchange's history: what its figures count, and how a range is asked for.

ccxt passes figures on as exchanges give them, so an exchange is used only for what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind

KINDS: Final = (
    TapeKind.BARS,
    TapeKind.FUNDING,
    TapeKind.OPEN_INTEREST,
    TapeKind.LONG_SHORT_RATIO,
)
"""What can be fetched, in the order in which it is."""

METHODS: Final = {
    TapeKind.BARS: "fetchOHLCV",
    TapeKind.FUNDING: "fetchFundingRateHistory",
    TapeKind.OPEN_INTEREST: "fetchOpenInterestHistory",
    TapeKind.LONG_SHORT_RATIO: "fetchLongShortRatioHistory",
}
"""ccxt's name of what gives each kind."""

LINEAR: Final = "linear"
INVERSE: Final = "inverse"


class Unit(StrEnum):
    """What a quantity counts."""

    UNDERLYING = "underlying units"
    CONTRACTS = "contracts"


@dataclass(frozen=True, slots=True)
class Quantity:
    """Where ccxt puts a quantity, and what it counts.

    Attributes
    ----------
    name : str
        Field of ccxt's open-interest structure; bars have one place for volume.
    unit : Unit
        Contracts are turned into underlying units with the market's contract size.
    """

    name: str
    unit: Unit = Unit.UNDERLYING


VOLUME: Final = Quantity("volume")
AMOUNT: Final = Quantity("openInterestAmount")


@dataclass(frozen=True, slots=True)
class KnownExchange:
    """What one exchange gives through ccxt.

    Attributes
    ----------
    volume, open_interest : dict of str to Quantity
        By `LINEAR` or `INVERSE`; an absent one is not known or not given.
    funding : bool
        Its funding history holds the rates that were paid, at the instants they were paid.
    ratio : bool
        Its ratio counts accounts.
    market_types : tuple of str
        What ccxt has to load to know the swaps; empty: ccxt's own choice.
    """

    volume: dict[str, Quantity] = field(default_factory=dict[str, Quantity])
    open_interest: dict[str, Quantity] = field(default_factory=dict[str, Quantity])
    funding: bool = False
    ratio: bool = False
    market_types: tuple[str, ...] = ()

    def gives(self, kind: TapeKind, sub_type: str | None = None) -> bool:
        """Say whether a kind is given, of markets of a sub-type or of any."""
        quantities = {TapeKind.BARS: self.volume, TapeKind.OPEN_INTEREST: self.open_interest}
        if kind in quantities:
            return bool(quantities[kind]) if sub_type is None else sub_type in quantities[kind]
        return self.funding if kind is TapeKind.FUNDING else self.ratio


KNOWN: Final[dict[str, KnownExchange]] = {
    "aster": KnownExchange(volume={LINEAR: VOLUME}, funding=True),
    "backpack": KnownExchange(volume={LINEAR: VOLUME}, funding=True),
    # Coin-margined candles have the coins in the field that ccxt reads, and the open interest
    # the contracts in its amount but the coins in its value.
    "binance": KnownExchange(
        volume={LINEAR: VOLUME, INVERSE: VOLUME},
        open_interest={LINEAR: AMOUNT, INVERSE: Quantity("openInterestValue")},
        funding=True,
        ratio=True,
        market_types=(LINEAR, INVERSE),
    ),
    "bitget": KnownExchange(volume={LINEAR: VOLUME}, market_types=("swap",)),
    # Inverse candles have the coins in the turnover, which ccxt reads; inverse open interest is
    # in dollars.
    "bybit": KnownExchange(
        volume={LINEAR: VOLUME, INVERSE: VOLUME},
        open_interest={LINEAR: AMOUNT},
        funding=True,
        ratio=True,
        market_types=(LINEAR, INVERSE),
    ),
    # Its hourly funding figures are averages over eight hours of a rate that is paid all the time.
    "deribit": KnownExchange(volume={INVERSE: VOLUME}),
    "gate": KnownExchange(
        volume={LINEAR: Quantity("volume", Unit.CONTRACTS)},
        open_interest={LINEAR: Quantity("openInterestAmount", Unit.CONTRACTS)},
        funding=True,
        market_types=("swap",),
    ),
    "hyperliquid": KnownExchange(volume={LINEAR: VOLUME}, funding=True, market_types=("swap",)),
    # Candles and open interest have contracts and coins; ccxt's `baseVolume` is the coins.
    "okx": KnownExchange(
        volume={LINEAR: VOLUME, INVERSE: VOLUME},
        open_interest={LINEAR: Quantity("baseVolume"), INVERSE: Quantity("baseVolume")},
        funding=True,
        ratio=True,
        market_types=("swap",),
    ),
}
"""Exchanges by ccxt's name (from their own documentation of the fields that ccxt passes on)."""

FUNDING_BY_OFFSET: Final = frozenset({"backpack"})
"""Exchanges whose funding is asked for from the newest backwards, by count and not by time."""

BYBIT_PERIODS: Final = {
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "1h",
    "4h": "4h",
    "1d": "1d",
}
"""Bybit's names of the periods of a long/short ratio, which ccxt does not translate."""


def known_exchange(name: str) -> KnownExchange:
    """Return what is known of an exchange.

    Raises
    ------
    DataError
        Nothing is; the message names those of which something is.
    """
    if name not in KNOWN:
        raise DataError(
            "what this exchange's figures count is not known, so none is guessed",
            where=name,
            hint=f"Known are {', '.join(KNOWN)}; what you have in a file can be imported with "
            "`hedgeflow data import bars`",
        )
    return KNOWN[name]


def check_gives(name: str, kind: TapeKind, sub_type: str | None = None) -> None:
    """Refuse a kind that an exchange does not give.

    Raises
    ------
    DataError
        It does not; the message names those that do.
    """
    if known_exchange(name).gives(kind, sub_type):
        return
    what = _words(kind) if sub_type is None else f"{_words(kind)} of {sub_type} swaps"
    others = [each for each, known in KNOWN.items() if known.gives(kind, sub_type)]
    raise DataError(
        f"no {what} in known units can be had from this exchange (ccxt's {METHODS[kind]})",
        where=name,
        hint=f"It can be had from {', '.join(others)}",
    )


def range_parameters(
    name: str, kind: TapeKind, timeframe: str, start_ms: int, end_ms: int
) -> dict[str, Any]:
    """Return what ccxt has to pass on for ``start_ms <= stamp < end_ms``, beside the start.

    Most exchanges take ccxt's `until`, which includes its instant.

    Raises
    ------
    DataError
        The exchange has no such period.
    """
    if (name, kind) == ("okx", TapeKind.FUNDING):
        return {"after": end_ms}
    if (name, kind) == ("gate", TapeKind.OPEN_INTEREST):
        return {}
    if (name, kind) == ("bybit", TapeKind.LONG_SHORT_RATIO):
        if timeframe not in BYBIT_PERIODS:
            raise DataError(
                f"there is no long/short ratio every {timeframe}",
                where=name,
                hint=f"There is one every {', '.join(BYBIT_PERIODS)}",
            )
        period = BYBIT_PERIODS[timeframe]
        return {"period": period, "startTime": start_ms, "endTime": end_ms - 1}
    return {"until": end_ms - 1}


def _words(kind: TapeKind) -> str:
    return kind.value.replace("_", " ")
