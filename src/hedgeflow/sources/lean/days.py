"""One day of one underlying: its prices, and what its options did, entered into the tapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.market.coverage import Coverage
from hedgeflow.market.errors import DataError
from hedgeflow.market.tapes import TapeKind
from hedgeflow.sources.lean.instruments import KIND_OF, day_prices, load_instruments, prices_of
from hedgeflow.sources.lean.layout import Content
from hedgeflow.sources.lean.members import future_symbol
from hedgeflow.sources.lean.options import (
    check_turnover,
    load_options,
    option_faults,
    trade_faults,
    traded_by_contract,
    with_prevailing,
)
from hedgeflow.sources.lean.recording import recorded
from hedgeflow.sources.lean.report import NotUsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgeflow.market.validation import Fault
    from hedgeflow.sources.lean.account import Account
    from hedgeflow.sources.lean.layout import LeanFile
    from hedgeflow.sources.lean.recording import Loaded
    from hedgeflow.sources.lean.report import Portion


def import_day(files: Sequence[LeanFile], account: Account) -> None:
    """Import what one day's files say of one underlying and enter what became of each.

    Trades of all option roots go into one import, for nothing tells their prints apart if some
    come later; so they wait for each other, for the quotes and for the underlying's prices.

    Parameters
    ----------
    files : sequence of LeanFile
        Of one market, underlying and day; universes are not among them.
    account : Account
    """
    bars: dict[str, pl.DataFrame] = {}
    for file in files:
        if not file.asset.is_option:
            bars |= _import_instruments(file, account)
    options = [file for file in files if file.asset.is_option]
    loaded, contracts = _load(options, account)
    for file in options:
        if file.content is Content.OPEN_INTEREST and file.path in loaded:
            _import_together(
                TapeKind.OPEN_INTEREST, [loaded[file.path]], account, contracts=contracts
            )
    quotes = [file for file in options if file.content is Content.QUOTES]
    if _may_go_on(quotes, quotes, account):
        _import_together(
            TapeKind.OPTION_QUOTES,
            [loaded[file.path] for file in quotes],
            account,
            faults=option_faults(),
            contracts=contracts,
        )
    _import_trades(files, bars, loaded, contracts, account)


def _import_instruments(file: LeanFile, account: Account) -> dict[str, pl.DataFrame]:
    """Import a file of stocks, indices or futures; return its bars by instrument."""
    portions: list[Portion] = []
    try:
        found = load_instruments(file, account.root)
        every = pl.concat([each.rows.select("ts") for each in found.values()])
        coverage = Coverage.of(recorded(file, every))
        for instrument, each in found.items():
            if each.rows.height:
                kind = KIND_OF[file.content]
                portions += account.commit(kind, instrument, [each], coverage).values()
    except NotUsed as why:
        account.not_used(file.path, why)
        return {}
    except DataError as why:
        account.refused(file.path, why, portions)
        return {}
    account.imported(file.path, portions, sum(each.empty for each in found.values()))
    if file.content is not Content.TRADES:
        return {}
    for instrument, each in found.items():
        key = (file.asset, file.market, instrument)
        prices = day_prices(file, each.rows)
        if prices is not None:
            account.facts.underlyings.setdefault(key, []).append(prices)
    return {instrument: each.rows for instrument, each in found.items()}


def _load(
    options: Sequence[LeanFile], account: Account
) -> tuple[dict[str, Loaded], pl.DataFrame | None]:
    """Return the rows of option files by path, and the terms of every contract among them."""
    loaded: dict[str, Loaded] = {}
    terms: list[pl.DataFrame] = []
    for file in options:
        try:
            found = load_options(file, account.root)
        except DataError as why:
            account.refused(file.path, why)
            continue
        loaded[file.path] = found.loaded
        terms.append(found.contracts)
        if file.content is Content.TRADES:
            key = (file.asset, file.market, file.ticker, file.month)
            traded = account.facts.traded.setdefault(key, {})
            traded[file.day] = traded_by_contract(found.loaded)
    return loaded, pl.concat(terms).unique(maintain_order=True) if terms else None


def _import_trades(
    files: Sequence[LeanFile],
    bars: dict[str, pl.DataFrame],
    loaded: dict[str, Loaded],
    contracts: pl.DataFrame | None,
    account: Account,
) -> None:
    """Import the trades of all option roots of a day, with what was known at each print."""
    prices = [f for f in files if not f.asset.is_option and f.content is Content.TRADES]
    quotes = [f for f in files if f.asset.is_option and f.content is Content.QUOTES]
    trades = [f for f in files if f.asset.is_option and f.content is Content.TRADES]
    for file in trades:
        if file.path not in loaded:
            continue
        interest = _beside(file, files, Content.OPEN_INTEREST, loaded)
        try:
            if not any(account.is_refused(each) for each in prices):
                _check_prices(file, bars, account)
            check_turnover(loaded[file.path], interest)
        except NotUsed as why:
            account.not_used(file.path, why)
    usable = [file for file in trades if account.is_open(file)]
    if not _may_go_on(usable, [*trades, *quotes, *prices], account):
        return
    prints = [
        with_prevailing(
            loaded[file.path],
            prices_of(bars[_underlying_instrument(file, account)]),
            _beside(file, files, Content.QUOTES, loaded),
        )
        for file in usable
    ]
    _import_together(
        TapeKind.OPTION_TRADES,
        prints,
        account,
        faults=trade_faults(),
        contracts=contracts,
        beside=[*quotes, *prices],
    )


def _import_together(
    kind: TapeKind,
    loaded: Sequence[Loaded],
    account: Account,
    *,
    faults: Sequence[Fault] = (),
    contracts: pl.DataFrame | None = None,
    beside: Sequence[LeanFile] = (),
) -> None:
    """Import option files into one tape, all of them or none."""
    files = [each.file for each in loaded]
    intervals = [pair for each in loaded for pair in recorded(each.file, each.rows)]
    try:
        portions = account.commit(
            kind,
            account.underlyings[files[0].path],
            loaded,
            Coverage.of(intervals),
            beside=beside,
            faults=faults,
            contracts=contracts,
        )
    except DataError as why:
        for file in files:
            account.refused(file.path, why)
        return
    for each in loaded:
        account.imported(each.file.path, [portions[each.file.path]], each.empty)


def _may_go_on(files: Sequence[LeanFile], needed: Sequence[LeanFile], account: Account) -> bool:
    """Say whether there is something to import and all that it needs was read.

    Where something was refused, the files wait for it: each is refused with that reason.
    """
    broken = [file.path for file in needed if account.is_refused(file)]
    waiting = [file for file in files if account.is_open(file)]
    for file in waiting if broken else ():
        account.refused(
            file.path,
            DataError(
                f"it waits for {broken[0]}, which was refused",
                where=file.path,
                hint="What belongs to one tape and day goes in together: mend or remove that file",
            ),
        )
    return bool(waiting) and not broken


def _beside(
    file: LeanFile, files: Sequence[LeanFile], content: Content, loaded: dict[str, Loaded]
) -> Loaded | None:
    """Return the quotes or the open interest of the same root on the same day."""
    for other in files:
        same = (other.asset, other.ticker, other.month) == (file.asset, file.ticker, file.month)
        if same and other.content is content:
            return loaded.get(other.path)
    return None


def _check_prices(file: LeanFile, bars: dict[str, pl.DataFrame], account: Account) -> None:
    """Refuse options without any price of what they are on.

    Raises
    ------
    NotUsed
        The folder has none of that day.
    """
    instrument = _underlying_instrument(file, account)
    if instrument not in bars or bars[instrument].is_empty():
        raise NotUsed(f"no underlying prices of {instrument} on {file.day}")


def _underlying_instrument(file: LeanFile, account: Account) -> str:
    """Return the stock, the index or the month of the future that a file's options are on."""
    if file.month:
        return future_symbol(file.ticker, file.month)
    return account.underlyings[file.path]
