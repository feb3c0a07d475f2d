"""A small Lean data folder: one day of AAPL options with what they need, as Lean writes it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MINUTE_MS = 60_000
OPEN_MS = 34_200_000
"""09:30 in milliseconds since midnight."""

STOCK_TRADES = "equity/usa/minute/aapl/20140606_trade.zip"
STOCK_QUOTES = "equity/usa/minute/aapl/20140606_quote.zip"
TRADES = "option/usa/minute/aapl/20140606_trade_american.zip"
QUOTES = "option/usa/minute/aapl/20140606_quote_american.zip"
OPEN_INTEREST = "option/usa/minute/aapl/20140606_openinterest_american.zip"
UNIVERSE = "option/usa/universes/aapl/20140605.csv"
MARGINS = "future/cme/margins/ES.csv"
EVERY = (STOCK_TRADES, STOCK_QUOTES, TRADES, QUOTES, OPEN_INTEREST, UNIVERSE, MARGINS)

CALL = "AAPL  140606C00645000"
PUT = "AAPL  140606P00645000"
SATURDAY = "AAPL  140621C00650000"

HEADER = "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility,delta"


def lean_folder(root: Path) -> Path:
    """Write a sound folder whose every number is easily worked out, and return it."""
    stock = [
        f"{OPEN_MS + minute * MINUTE_MS},{6450000 + minute * 1000},{6451000 + minute * 1000},"
        f"{6449000 + minute * 1000},{6450000 + minute * 1000},{1000 + minute}"
        for minute in range(20)
    ]
    write_archive(root / STOCK_TRADES, {"20140606_aapl_minute_trade.csv": stock})
    quotes = [
        f"{OPEN_MS + minute * MINUTE_MS},{bars(6449900)},100,{bars(6450100)},200"
        for minute in range(5)
    ]
    one_sided = f"{OPEN_MS + 5 * MINUTE_MS},,,,,0,{bars(6450100)},200"
    write_archive(root / STOCK_QUOTES, {"20140606_aapl_minute_quote.csv": [*quotes, one_sided]})
    write_archive(
        root / TRADES,
        {
            member("trade", "call", 6450000, "20140606"): [
                bar(0, 30000, 10),
                bar(2, 31000, 20),
                bar(10, 32000, 5),
            ],
            member("trade", "put", 6450000, "20140606"): [bar(2, 29000, 7)],
            member("trade", "call", 6500000, "20140621"): [bar(3, 50000, 1)],
        },
    )
    write_archive(
        root / QUOTES,
        {
            member("quote", "call", 6450000, "20140606"): [
                quote(0, 29000, 31000),
                quote(1, None, 31500),
                quote(2, None, None),
                quote(9, 31800, 32200),
            ],
            member("quote", "put", 6450000, "20140606"): [quote(0, 28000, None)],
        },
    )
    write_archive(
        root / OPEN_INTEREST,
        {
            member("openinterest", "call", 6450000, "20140606"): ["23400000,1000"],
            member("openinterest", "put", 6450000, "20140606"): ["23400000,0"],
        },
    )
    write_text(
        root / UNIVERSE,
        [
            HEADER,
            ",,,640,648,639,644.5,1000,,,",
            "20140606,645,C,2.5,3,2,2.9,400,1000,0.25,0.4",
            "20140606,645,P,3,3.5,2.5,3.1,0,,0,0.9",
            "20140606,650,P,0,0,0,0,0,,0,0",
        ],
    )
    write_text(root / MARGINS, ["date,initial,maintenance", "20120326,4375,3500"])
    return root


def bar(minute: int, price: float, volume: float) -> str:
    """Return a line of a trade bar whose four prices are one."""
    return f"{OPEN_MS + minute * MINUTE_MS},{bars(price)},{volume}"


def quote(minute: int, bid: int | None, ask: int | None) -> str:
    """Return a line of a quote bar; a side that is None is empty, with size 0."""
    sides = [
        ",,,,0" if price is None else f"{bars(price)},{size}"
        for price, size in ((bid, 11), (ask, 12))
    ]
    return f"{OPEN_MS + minute * MINUTE_MS},{','.join(sides)}"


def bars(price: float) -> str:
    """Return one price four times, as open, high, low and close."""
    return ",".join([str(price)] * 4)


def member(
    content: str, right: str, strike: int, expiry: str, *, root: str = "aapl", day: str = "20140606"
) -> str:
    """Return the name of an option's CSV file; the strike is x 10,000."""
    return f"{day}_{root}_minute_{content}_american_{right}_{strike}_{expiry}.csv"


def write_archive(path: Path, members: Mapping[str, Sequence[str]]) -> Path:
    """Write a zip archive of CSV files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in members.items():
            archive.writestr(name, "".join(f"{line}\n" for line in lines))
    return path


def write_text(path: Path, lines: Sequence[str]) -> Path:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
