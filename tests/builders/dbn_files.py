"""DBN files written with Databento's own encoder, right unless a test spoils them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import databento_dbn as dbn
import zstandard

from hedgeflow.market.time import MINUTE_NS, SECOND_NS, instant_ns

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2025, 2, 20)
OPENING = instant_ns(datetime(2025, 2, 20, 14, 30, tzinfo=UTC))
"""Of the stock market, nanoseconds."""
UNIT = 1_000_000_000
OPRA, CME, NASDAQ = "OPRA.PILLAR", "GLBX.MDP3", "XNAS.ITCH"
CALL, PUT = "AAPL  250221C00245000", "AAPL  250221P00240000"
EXPIRED = "AAPL  250219C00245000"
WEEKLY, MONTHLY = "SPXW  250221C06100000", "SPX   250321P06000000"
SPREAD = "ESH5-ESM5"
NUMBERS = {
    CALL: 11,
    PUT: 12,
    EXPIRED: 13,
    WEEKLY: 14,
    MONTHLY: 15,
    "AAPL": 32,
    "SPX": 33,
    "ESH5": 5482,
    "ESM5": 5483,
    SPREAD: 5490,
    "CLH5": 5500,
    "ESH5 C6100": 701,
}
"""The number of each instrument in these files."""


@dataclass
class _Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass
class _Mapping:
    raw_symbol: str
    intervals: list[_Interval] = field(default_factory=list)


def header(
    schema: str,
    dataset: str,
    symbols: dict[str, int] | None = None,
    *,
    start: int = OPENING,
    end: int | None = OPENING + 10 * MINUTE_NS,
    limit: int | None = None,
    by_number: bool = False,
    days: tuple[date, date] = (DAY, DAY + timedelta(days=1)),
    ts_out: bool = False,
) -> dbn.Metadata:
    """Return a header that maps symbols to numbers, or numbers to symbols."""
    names = {} if symbols is None else symbols
    pairs = [(name, str(number)) for name, number in names.items()]
    pairs = [(number, name) for name, number in pairs] if by_number else pairs
    kinds = (dbn.SType.RAW_SYMBOL, dbn.SType.INSTRUMENT_ID)
    stype_in, stype_out = reversed(kinds) if by_number else kinds
    return dbn.Metadata(
        dataset=dataset,
        start=start,
        end=end,
        limit=limit,
        stype_in=stype_in,
        stype_out=stype_out,
        schema=dbn.Schema.from_str(schema),
        symbols=[name for name, _ in pairs],
        mappings=[_Mapping(name, [_Interval(*days, to)]) for name, to in pairs],
        ts_out=ts_out,
    )


def written(
    folder: Path, name: str, top: dbn.Metadata, records: list[Any], *, compress: bool = True
) -> Path:
    """Write a file and return its path."""
    content = bytes(top) + b"".join(bytes(each) for each in records)
    path = folder / f"{name}{'.dbn.zst' if compress else '.dbn'}"
    path.write_bytes(_packed(content) if compress else content)
    return path


def trade(
    symbol: str, at: int, price: float, size: int = 1, side: str = "N", publisher: int = 23
) -> dbn.TradeMsg:
    return dbn.TradeMsg(
        publisher_id=publisher,
        instrument_id=NUMBERS[symbol],
        ts_event=at - 200_000,
        price=round(price * UNIT),
        size=size,
        action=dbn.Action.TRADE,
        side=dbn.Side(side),
        depth=0,
        ts_recv=at,
    )


def pair(bid: float | None, ask: float | None, sizes: tuple[int, int] = (5, 7)) -> Any:
    return dbn.ConsolidatedBidAskPair(_fixed(bid), _fixed(ask), *sizes)


def tcbbo(
    symbol: str, at: int, price: float, bid: float | None, ask: float | None, size: int = 1
) -> dbn.CMBP1Msg:
    return dbn.CMBP1Msg(
        rtype=int(dbn.RType.TCBBO),
        publisher_id=23,
        instrument_id=NUMBERS[symbol],
        ts_event=at - 200_000,
        price=round(price * UNIT),
        size=size,
        action=dbn.Action.TRADE,
        side=dbn.Side.NONE,
        ts_recv=at,
        levels=pair(bid, ask),
    )


def cbbo(
    symbol: str, at: int, bid: float | None, ask: float | None, schema: str = "cbbo-1s"
) -> dbn.CBBOMsg:
    return dbn.CBBOMsg(
        rtype=int(dbn.RType.from_schema(dbn.Schema.from_str(schema))),
        publisher_id=30,
        instrument_id=NUMBERS[symbol],
        ts_event=dbn.UNDEF_TIMESTAMP,
        price=dbn.UNDEF_PRICE,
        size=0,
        side=dbn.Side.NONE,
        ts_recv=at,
        levels=pair(bid, ask),
    )


def mbp1(
    symbol: str,
    at: int,
    bid: float | None,
    ask: float | None,
    *,
    publisher: int = 30,
    flags: int = 0x80,
    trade_price: float | None = None,
) -> dbn.MBP1Msg:
    return dbn.MBP1Msg(
        publisher_id=publisher,
        instrument_id=NUMBERS[symbol],
        ts_event=at - 200_000,
        price=_fixed(trade_price),
        size=3,
        action=dbn.Action.ADD if trade_price is None else dbn.Action.TRADE,
        side=dbn.Side.BID,
        depth=0,
        ts_recv=at,
        flags=flags,
        levels=dbn.BidAskPair(_fixed(bid), _fixed(ask), 5, 7),
    )


def bar(symbol: str, at: int, close: float, schema: str = "ohlcv-1s", volume: int = 100) -> Any:
    return dbn.OHLCVMsg(
        rtype=int(dbn.RType.from_schema(dbn.Schema.from_str(schema))),
        publisher_id=2,
        instrument_id=NUMBERS[symbol],
        ts_event=at,
        open=round(close * UNIT),
        high=round(close * UNIT),
        low=round(close * UNIT),
        close=round(close * UNIT),
        volume=volume,
    )


def statistic(
    symbol: str,
    at: int,
    quantity: int,
    kind: dbn.StatType = dbn.StatType.OPEN_INTEREST,
    action: dbn.StatUpdateAction = dbn.StatUpdateAction.NEW,
) -> dbn.StatMsg:
    return dbn.StatMsg(
        publisher_id=37,
        instrument_id=NUMBERS[symbol],
        ts_event=at - 200_000,
        ts_recv=at,
        ts_ref=dbn.UNDEF_TIMESTAMP,
        price=dbn.UNDEF_PRICE,
        quantity=quantity,
        stat_type=kind,
        update_action=action,
    )


def us_definition(symbol: str, at: int = OPENING, **changes: Any) -> dbn.InstrumentDefMsg:
    """Return the definition of a US option as Databento delivers it: its terms, no multiplier."""
    terms = {
        "instrument_class": dbn.InstrumentClass.CALL
        if symbol[-9] == "C"
        else dbn.InstrumentClass.PUT,
        "strike_price": int(symbol[-8:]) * 1_000_000,
        "expiration": instant_ns(datetime.strptime(symbol[-15:-9] + "+0000", "%y%m%d%z")),
        "underlying": symbol[:6].strip(),
    }
    return _definition(symbol, at, publisher=30, **(terms | changes))


def es_option(symbol: str = "ESZ4 C4100", at: int = OPENING, **changes: Any) -> Any:
    """Return the definition of an option on ES with the values of Databento's own test record.

    Source: databento/dbn, rust/dbn/src/encode/json (ESZ4 C4100, OCAFPS, strike 4100 x 1e9); the
    contract size is the 50 index points of the future's own definition among the samples.
    """
    terms = {
        "instrument_class": dbn.InstrumentClass.CALL,
        "strike_price": 4_100_000_000_000,
        "expiration": 1_698_450_000_000_000_000,
        "activation": 1_697_350_000_000_000_000,
        "underlying": "ESZ4",
        "unit_of_measure_qty": 50 * UNIT,
        "unit_of_measure": "IPNT",
        "cfi": "OCAFPS",
        "group": "EW",
        "exchange": "XCME",
    }
    return _definition(symbol, at, publisher=1, **(terms | changes))


def _definition(symbol: str, at: int, *, publisher: int, **terms: Any) -> dbn.InstrumentDefMsg:
    given: dict[str, Any] = {
        "instrument_id": NUMBERS.get(symbol, 900),
        "security_update_action": dbn.SecurityUpdateAction.ADD,
        "asset": symbol[:2],
        "security_type": "OPT",
        "min_price_increment": 10_000_000,
        "display_factor": UNIT,
    }
    return dbn.InstrumentDefMsg(
        publisher_id=publisher,
        ts_event=at - 200_000,
        ts_recv=at,
        raw_symbol=symbol,
        **(given | terms),
    )


def stock_bars(folder: Path, minutes: int = 10) -> Path:
    """Write one-second bars of AAPL from a minute before the opening on."""
    first = OPENING - MINUTE_NS
    seconds = range((minutes + 1) * 60)
    records = [bar("AAPL", first + n * SECOND_NS, 245 + n / 1000) for n in seconds]
    top = header(
        "ohlcv-1s",
        NASDAQ,
        {"AAPL": 32},
        start=first,
        end=first + len(seconds) * SECOND_NS,
    )
    return written(folder, "aapl.ohlcv-1s", top, records)


def option_prints(folder: Path, schema: str = "tcbbo", count: int = 30) -> Path:
    """Write prints of a call and a put, ten seconds apart, at the ask and at the bid in turn."""
    records: list[Any] = []
    for n in range(count):
        symbol, at = (CALL, PUT)[n % 2], OPENING + (10 * n + 5) * SECOND_NS
        bid, ask = 1.0 + n / 100, 1.1 + n / 100
        price = ask if n % 2 else bid
        made = tcbbo(symbol, at, price, bid, ask) if schema == "tcbbo" else trade(symbol, at, price)
        records.append(made)
    return written(folder, f"options.{schema}", header(schema, OPRA, NUMBERS_OF_OPTIONS), records)


NUMBERS_OF_OPTIONS = {CALL: NUMBERS[CALL], PUT: NUMBERS[PUT]}


def option_definitions(folder: Path) -> Path:
    """Write the definitions of the call and the put."""
    records = [us_definition(CALL), us_definition(PUT)]
    top = header("definition", OPRA, NUMBERS_OF_OPTIONS)
    return written(folder, "options.definition", top, records)


def databento_files(folder: Path) -> None:
    """Write what the documentation's commands read."""
    stock_bars(folder)
    option_prints(folder)
    option_definitions(folder)
    order = dbn.MBOMsg(
        publisher_id=1,
        instrument_id=NUMBERS["ESH5"],
        ts_event=OPENING,
        order_id=1,
        price=6_000 * UNIT,
        size=1,
        channel_id=0,
        action=dbn.Action.ADD,
        side=dbn.Side.BID,
        ts_recv=OPENING,
    )
    written(folder, "book.mbo", header("mbo", CME, {"ESH5": NUMBERS["ESH5"]}), [order])


def _packed(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def _fixed(price: float | None) -> int:
    return dbn.UNDEF_PRICE if price is None else round(price * UNIT)
