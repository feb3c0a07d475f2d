"""What is traded: option contracts and the instruments that hedge them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

from hedgeflow.market.errors import ConfigError, DataError
from hedgeflow.market.expiries import INDEX_OF_ROOT, NSE_INDICES, expiry_of_stock_option
from hedgeflow.market.time import instant_ns

DERIBIT_EXPIRY_HOUR_UTC: Final = 8
DERIBIT_OPTION_LOT_COINS: Final = 0.1

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}


class Right(StrEnum):
    """The right of an option."""

    CALL = "C"
    PUT = "P"

    @property
    def sign(self) -> int:
        """+1 for a call, -1 for a put: the code that kernels take."""
        return 1 if self is Right.CALL else -1


class Style(StrEnum):
    """When an option may be exercised."""

    EUROPEAN = "european"
    AMERICAN = "american"


class Settlement(StrEnum):
    """What an exercised option turns into."""

    CASH = "cash"
    PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class OptionContract:
    """One listed option.

    Attributes
    ----------
    symbol : str
        The venue's own name.
    venue, underlying : str
        Where it is listed, and on what.
    right : Right
    strike : float
        In quote currency per underlying unit.
    expiry_ns : int
        The expiration instant, UTC nanoseconds.
    multiplier : float
        Underlying units per contract (100 for US options, 1 for Deribit).
    lot : float
        Smallest tradable quantity, contracts.
    style : Style
    settlement : Settlement
    inverse : bool
        Premium and profit are paid in the underlying coin.
    listed_ns : int or None
        Listing instant where known.
    """

    symbol: str
    venue: str
    underlying: str
    right: Right
    strike: float
    expiry_ns: int
    multiplier: float
    lot: float
    style: Style
    settlement: Settlement
    inverse: bool
    listed_ns: int | None = None


def parse_deribit_option(symbol: str) -> OptionContract:
    """Return the contract that a Deribit symbol such as ``BTC-18APR25-76000-P`` names.

    Raises
    ------
    DataError
        The symbol is not of the form UNDERLYING-DMMMYY-STRIKE-RIGHT, or it is a linear option.
    """
    parts = symbol.split("-")
    try:
        underlying, expiry_text, strike_text, right_text = parts
        day, month, year = int(expiry_text[:-5]), _MONTHS[expiry_text[-5:-2]], int(expiry_text[-2:])
        expiry = datetime(2000 + year, month, day, DERIBIT_EXPIRY_HOUR_UTC, tzinfo=UTC)
        strike = float(strike_text.replace("d", "."))
        right = Right(right_text)
    except (ValueError, KeyError) as cause:
        raise DataError(
            f"'{symbol}' is not a Deribit option symbol",
            hint="Expected UNDERLYING-DMMMYY-STRIKE-C or -P, as in BTC-18APR25-76000-P",
        ) from cause
    if not 0 < strike < float("inf"):
        raise DataError(f"the strike of '{symbol}' must be positive, was {strike:g}")
    inverse = "_" not in underlying
    if not inverse:
        raise DataError(
            f"'{symbol}' is a linear option",
            hint="Only inverse (coin-settled) Deribit options can be imported so far",
        )
    return OptionContract(
        symbol=symbol,
        venue="deribit",
        underlying=underlying,
        right=right,
        strike=strike,
        expiry_ns=instant_ns(expiry),
        multiplier=1.0,
        lot=DERIBIT_OPTION_LOT_COINS,
        style=Style.EUROPEAN,
        settlement=Settlement.CASH,
        inverse=inverse,
    )


OSI_SYMBOL: Final = re.compile(
    r"(?P<root>[A-Z0-9.]{1,6}?) *(?P<date>[0-9]{6})(?P<right>[CP])(?P<strike>[0-9]{8})"
)
US_OPTION_MULTIPLIER: Final = 100.0


def osi_symbol(root: str, expiration: date, right: Right, strike: float) -> str:
    """Return the symbol of a US listed option, as OPRA prints it: ``AAPL  140606C00645000``."""
    return f"{root:<6}{expiration:%y%m%d}{right.value}{round(strike * 1000):08d}"


def parse_osi_option(symbol: str, venue: str) -> OptionContract:
    """Return the contract that an OSI symbol such as ``AAPL  140606C00645000`` names.

    Digits at the end of a root mark an adjusted contract; it keeps the stock as underlying.

    Raises
    ------
    DataError
        The symbol is not of the form root, YYMMDD, C or P, strike in thousandths.
    """
    found = OSI_SYMBOL.fullmatch(symbol)
    expiration = None if found is None else _osi_date(found["date"])
    if found is None or expiration is None:
        raise DataError(
            f"'{symbol}' is not the symbol of a US listed option",
            hint="Expected root, YYMMDD, C or P, strike x 1000, as in AAPL  140606C00645000",
        )
    root = found["root"]
    strike = int(found["strike"]) / 1000.0
    if strike <= 0:
        raise DataError(f"the strike of '{symbol}' must be positive, was {strike:g}")
    is_index = root in INDEX_OF_ROOT
    return OptionContract(
        symbol=osi_symbol(root, expiration, Right(found["right"]), strike),
        venue=venue,
        underlying=INDEX_OF_ROOT.get(root) or root.rstrip("0123456789"),
        right=Right(found["right"]),
        strike=strike,
        expiry_ns=expiry_of_stock_option(root, expiration),
        multiplier=US_OPTION_MULTIPLIER,
        lot=1.0,
        style=Style.EUROPEAN if is_index else Style.AMERICAN,
        settlement=Settlement.CASH if is_index else Settlement.PHYSICAL,
        inverse=False,
    )


def _osi_date(digits: str) -> date | None:
    try:
        return datetime.strptime(digits, "%y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


class HedgeKind(StrEnum):
    """What kind of instrument a hedge trades in; costs and limits depend on it."""

    PERPETUAL = "perpetual"
    FUTURE = "future"
    STOCK = "stock"
    INDEX = "index"
    """A number that options are on: its level is known, nobody can buy or sell it."""


@dataclass(frozen=True, slots=True)
class HedgeInstrument:
    """The instrument that dealers, and we, trade against option flow.

    Attributes
    ----------
    symbol, venue, underlying : str
    kind : HedgeKind
    multiplier : float
        Underlying units per instrument unit (50 for ES, 1 for a coin perpetual or a share).
    standard_contract_units : float
        Instrument units in one standard contract: sizes of plans are counted in these
        (ES 1, perpetual 1 coin, stock 100 shares; precise.md 26).
    lot : float
        Smallest tradable step, standard contracts.
    tick : float
        Smallest price step, quote currency; 0 where unknown.
    """

    symbol: str
    venue: str
    underlying: str
    kind: HedgeKind
    multiplier: float = 1.0
    standard_contract_units: float = 1.0
    lot: float = 0.001
    tick: float = 0.0

    @property
    def units_per_contract(self) -> float:
        """Underlying units in one standard contract."""
        return self.multiplier * self.standard_contract_units

    def require_tradable(self) -> None:
        """Raise ConfigError where this is an index, which nobody can trade."""
        if self.kind is HedgeKind.INDEX:
            raise ConfigError(
                f"{self.symbol} is an index: it cannot be bought or sold, so nothing is hedged in"
                " it",
                where="hedge_instrument",
                hint="Import a future or a fund that follows it, as ESH21 or SPY follow SPX",
            )


def hedge_instrument(symbol: str, venue: str, kind: HedgeKind | None = None) -> HedgeInstrument:
    """Return the hedge instrument that a symbol such as ``BTC-PERP``, ``ESH25`` or ``AAPL`` names.

    Without `kind`, a symbol ending in ``-PERP`` is a perpetual, one of the form root + month
    code + year a future, a known index such as ``SPX`` an index, everything else a stock.
    """
    root = symbol.split("-", maxsplit=1)[0]
    if kind is None:
        kind = _guessed_kind(symbol)
    if kind is HedgeKind.PERPETUAL:
        return HedgeInstrument(symbol, venue, root, kind, lot=0.001)
    if kind is HedgeKind.FUTURE:
        root = symbol.rstrip("0123456789")[:-1] if symbol[-1].isdigit() else root
        multiplier, tick = FUTURE_SPECIFICATIONS.get(root, (1.0, 0.0))
        return HedgeInstrument(symbol, venue, root, kind, multiplier=multiplier, lot=1.0, tick=tick)
    if kind is HedgeKind.INDEX:
        return HedgeInstrument(symbol, venue, symbol, kind, lot=1.0)
    return HedgeInstrument(symbol, venue, root, kind, standard_contract_units=100.0, lot=0.01)


def is_volatility_index(symbol: str) -> bool:
    """Say whether a symbol is that of a known index of implied volatility, as ``BTC-DVOL`` is."""
    return symbol in VOLATILITY_INDICES or symbol.endswith(DVOL_SUFFIXES)


VOLATILITY_INDICES: Final = frozenset(
    {
        "VIX", "VIX1D", "VIX9D", "VIX3M", "VIX6M", "VIX1Y", "VXN", "RVX", "VXD", "OVX", "GVZ",
        "VSTOXX", "VDAX", "INDIAVIX", "INDIA-VIX", "DVOL",
    }
)  # fmt: skip
"""By name, because funds such as UVIX and SVIX are called like them and are traded."""

DVOL_SUFFIXES: Final = ("-DVOL", "_DVOL")
"""Deribit's indices of a coin."""

LOWEST_VOLATILITY_PERCENT: Final = 3.0
"""No such index, in percent per year, has always been below."""

FUTURE_SPECIFICATIONS: Final[dict[str, tuple[float, float]]] = {
    "ES": (50.0, 0.25),
    "MES": (5.0, 0.25),
    "NQ": (20.0, 0.25),
    "MNQ": (2.0, 0.25),
    "SIM": (50.0, 0.25),
}
"""Multiplier and tick by root (CME contract specifications); SIM is the simulated future."""


def _guessed_kind(symbol: str) -> HedgeKind:
    if symbol.endswith("-PERP"):
        return HedgeKind.PERPETUAL
    is_index = symbol in INDEX_OF_ROOT.values() or symbol in NSE_INDICES
    if is_index or is_volatility_index(symbol):
        return HedgeKind.INDEX
    future = _FUTURE_SYMBOL.fullmatch(symbol)
    if future is not None and future["root"] in FUTURE_SPECIFICATIONS:
        return HedgeKind.FUTURE
    if future is not None or _DATED_SYMBOL.fullmatch(symbol) or _PAIR_SYMBOL.fullmatch(symbol):
        raise DataError(
            f"what '{symbol}' is cannot be told from its name",
            hint="Name a perpetual BTC-PERP, a future by a known root"
            f" ({', '.join(FUTURE_SPECIFICATIONS)}) and month as in ESH25, a stock by its ticker",
        )
    return HedgeKind.STOCK


_FUTURE_SYMBOL: Final = re.compile(r"(?P<root>[A-Z0-9]{1,3})[FGHJKMNQUVXZ][0-9]{1,2}")
_DATED_SYMBOL: Final = re.compile(r"[A-Z0-9]+-[0-9]{1,2}[A-Z]{3}[0-9]{2}")
_PAIR_SYMBOL: Final = re.compile(r"[A-Z0-9]{2,}(USD|USDT|USDC)")
