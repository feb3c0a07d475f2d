"""What the CSV files inside a Lean archive are about: an instrument, or an option contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hedgeflow.market.contracts import (
    FUTURE_SPECIFICATIONS,
    OptionContract,
    Right,
    Settlement,
    Style,
    osi_symbol,
    parse_osi_option,
)
from hedgeflow.market.errors import DataError
from hedgeflow.market.expiries import INDEX_OF_ROOT, expiry_of_future_option, is_third_friday
from hedgeflow.sources.lean.layout import MONTH, RESOLUTION, STRIKE_SCALE, Asset, day_of
from hedgeflow.sources.lean.report import NotUsed

if TYPE_CHECKING:
    from datetime import date

    from hedgeflow.sources.lean.layout import LeanFile

MONTH_CODES: Final = "FGHJKMNQUVXZ"
THOUSANDTH: Final = 1e-9
"""How far a strike may be from whole thousandths, which is all that a symbol can say."""

_TAIL: Final = {
    "option": re.compile(
        r"(?P<style>american|european)_(?P<right>call|put)_(?P<strike>\d+)_(?P<expiry>\d{8})"
    ),
    "future": re.compile(rf"(?P<month>{MONTH})(?:_\d{{8}})?"),
}


def underlying_of(file: LeanFile) -> str:
    """Return what a file's prices, or its options, are about: AAPL, SPX, ES.

    Raises
    ------
    NotUsed
        The index of a root, or the multiplier of a future, is not known.
    """
    if file.asset is Asset.INDEX_OPTION:
        if file.ticker not in INDEX_OF_ROOT:
            raise NotUsed(f"which index options of root {file.ticker} are on is not known")
        return INDEX_OF_ROOT[file.ticker]
    if file.asset in {Asset.FUTURE, Asset.FUTURE_OPTION} and (
        file.ticker not in FUTURE_SPECIFICATIONS
    ):
        raise NotUsed(f"the contract multiplier of {file.ticker} futures is not known")
    return file.ticker


def future_symbol(root: str, month: str) -> str:
    """Return the symbol of a future by its delivery month, as ``ESH20`` for 202003."""
    return f"{root}{MONTH_CODES[int(month[4:6]) - 1]}{month[2:4]}"


def instrument_of(file: LeanFile, name: str) -> str:
    """Return the instrument that a CSV file of stocks, indices or futures is about.

    Raises
    ------
    DataError
        The name is not of the form that Lean writes, or contradicts the archive's.
    """
    if file.asset is not Asset.FUTURE:
        _tail(file, name, None)
        return file.ticker
    tail = _tail(file, name, _TAIL["future"])
    return future_symbol(file.ticker, tail["month"])


def contract_of(file: LeanFile, name: str) -> OptionContract:
    """Return the contract that a CSV file of options is about.

    Raises
    ------
    DataError
        The name is not of the form that Lean writes, or contradicts the archive's.
    """
    tail = _tail(file, name, _TAIL["option"])
    right = Right.CALL if tail["right"] == "call" else Right.PUT
    expiry = expiry_date(tail["expiry"], where=f"{file.path}: {name}")
    return option_contract(
        file, expiry, right, int(tail["strike"]) / STRIKE_SCALE, Style(tail["style"])
    )


def option_contract(
    file: LeanFile, expiry: date, right: Right, strike: float, style: Style | None = None
) -> OptionContract:
    """Return the terms of a contract of a file's option root.

    Parameters
    ----------
    file : LeanFile
        Gives market, asset class and root.
    expiry : datetime.date
        As Lean states it: for stocks before February 2015 a Saturday.
    right : Right
    strike : float
    style : Style, optional
        What the file says; it must be the root's own.

    Raises
    ------
    DataError
        The strike has no symbol, or the style is another one.
    """
    if file.asset is Asset.FUTURE_OPTION:
        contract = _future_option(file, expiry, right, strike)
    else:
        if abs(strike * 1000.0 - round(strike * 1000.0)) > THOUSANDTH * max(1.0, strike * 1000.0):
            raise DataError(f"strike {strike:.10g} is finer than a symbol can say", where=file.path)
        symbol = osi_symbol(file.ticker, expiry, right, strike)
        contract = parse_osi_option(symbol, file.market)
    if style is not None and style is not contract.style:
        raise DataError(
            f"the file says that {contract.symbol} is {style}, but its root is {contract.style}",
            where=file.path,
            hint="Move the file to the folder of its asset class",
        )
    return contract


def _future_option(file: LeanFile, expiry: date, right: Right, strike: float) -> OptionContract:
    """Return an option on a CME future, named by its month, as in ``ESH20 C3000``.

    Several weekly options end in one month: what does not end on the third Friday bears its date,
    as in ``ES200131 C3000``.
    """
    multiplier, _ = FUTURE_SPECIFICATIONS[file.ticker]
    series = (
        future_symbol(file.ticker, f"{expiry:%Y%m}")
        if is_third_friday(expiry)
        else f"{file.ticker}{expiry:%y%m%d}"
    )
    return OptionContract(
        symbol=f"{series} {right.value}{strike:.10g}",
        venue=file.market,
        underlying=file.ticker,
        right=right,
        strike=strike,
        expiry_ns=expiry_of_future_option(expiry),
        multiplier=multiplier,
        lot=1.0,
        style=Style.AMERICAN,
        settlement=Settlement.PHYSICAL,
        inverse=False,
    )


def expiry_date(digits: str, *, where: str) -> date:
    """Return the expiry that digits such as 20140606 mean.

    Raises
    ------
    DataError
        They are no date.
    """
    found = day_of(digits)
    if found is None:
        raise DataError(f"'{digits}' is no date", where=where)
    return found


def _tail(file: LeanFile, name: str, form: re.Pattern[str] | None) -> dict[str, str]:
    """Return the parts of a name after what must be the archive's own day, ticker and content."""
    head = f"{file.day:%Y%m%d}_{file.ticker.lower()}_{RESOLUTION}_{file.content}"
    begins = name.startswith(head)
    rest = name.removeprefix(head).removesuffix(".csv")
    found = form.fullmatch(rest.removeprefix("_")) if form is not None else None
    if not begins or not name.endswith(".csv") or (found is None if form else bool(rest)):
        example = "" if form is None else "_…"
        raise DataError(
            f"the archive holds '{name}', expected {head}{example}.csv",
            where=file.path,
            hint="Remove that file from the archive, or put it into the archive of its name",
        )
    return found.groupdict() if found is not None else {}
