"""A server that answers as Deribit's public history does, with a market that never was.

It shares no code with the client: trades are dictionaries written after docs.deribit.com. Run it to
try `hedgeflow data fetch deribit` without a network:

    python tests/sources/deribit_history_server.py --port 8765 --fault 500 --every 7
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import itertools
import json
import math
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

DAY_MS = 86_400_000
MARGIN_MS = 6 * 3_600_000
"""The market begins so long before the first day and ends so long after the last one."""
MAX_COUNT = 1000
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
FAULTS = (
    "429", "429-seconds", "429-date", "10028", "500", "502", "timeout", "reset", "truncated",
    "garbage", "html", "shape", "instrument", "time", "400", "404", "forever",
)  # fmt: skip
"""What the server can do instead of answering."""


# --- the market ---------------------------------------------------------------------------------


@dataclass
class Market:
    """Every trade that there was, by the number of its id."""

    currency: str
    first: date
    days: int
    options: list[dict] = field(default_factory=list)
    perpetual: list[dict] = field(default_factory=list)

    def of_day(self, day: int, kind: str) -> list[dict]:
        """Return the trades of a day, by time and id."""
        start = day_ms(self.first) + day * DAY_MS
        inside = [t for t in getattr(self, kind) if start <= t["timestamp"] < start + DAY_MS]
        return sorted(inside, key=lambda t: (t["timestamp"], number(t)))


def day_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def number(trade: dict) -> int:
    return int(trade["trade_id"].split("-")[-1])


def simulated_market(
    first: date = date(2025, 1, 6),
    days: int = 3,
    *,
    seed: int = 7,
    perpetual_a_day: int = 4_000,
    options_a_day: int = 1_200,
    currency: str = "BTC",
) -> Market:
    """Return a market: a random walk, options on it, combinations, blocks, bursts, and shocks.

    A shock is a run of bought calls or puts whose dealers trade the perpetual afterwards.
    """
    rng = random.Random(seed)
    market = Market(currency, first, days)
    begin = day_ms(first) - MARGIN_MS
    end = day_ms(first) + days * DAY_MS + MARGIN_MS
    prices = walk(rng, begin, end)
    events = sorted(
        [(at, "perpetual", None) for at in arrivals(rng, begin, end, perpetual_a_day)]
        + [(at, "option", None) for at in arrivals(rng, begin, end, options_a_day)]
        + list(bursts(rng, market))
        + list(shocks(rng, market))
        + list(midnights(market)),
        key=lambda event: event[:2],
    )
    ids = itertools.count(244_343_036)
    numbers: Counter[str] = Counter()
    blocks = itertools.count(192_474)
    prefix = "" if currency == "BTC" else f"{currency}-"

    def printed(at: int, name: str, price: float, amount: float, side: str, **more) -> dict:
        numbers[name] += 1
        next(itertools.islice(ids, rng.randrange(3), None))  # trades of other instruments
        index = round(prices[(at - begin) // 60_000], 2)
        return {
            "timestamp": at, "price": price, "amount": amount, "direction": side,
            "index_price": index, "instrument_name": name,
            "trade_seq": 133_407_041 + numbers[name] if name.endswith("PERPETUAL")
            else numbers[name],
            "mark_price": price, "tick_direction": rng.randrange(4), "contracts": amount,
            "trade_id": f"{prefix}{next(ids)}", **more,
        }  # fmt: skip

    for at, kind, told in events:
        spot = prices[(at - begin) // 60_000]
        side = told["side"] if told else rng.choice(["buy", "sell"])
        if kind == "perpetual":
            price = round(spot * (1 + rng.gauss(0, 2e-5)) * 2) / 2
            amount = 10.0 * max(1, round(rng.paretovariate(1.2) * (told["weight"] if told else 20)))
            more = {"liquidation": "T"} if rng.random() < 0.002 else {}
            name = f"{currency}-PERPETUAL"
            market.perpetual.append(printed(at, name, price, amount, side, **more))
            continue
        chance = rng.random()
        expiry, strike, right = told["contract"] if told else contract(rng, at, spot)
        amount = round(0.1 * (rng.randrange(50, 150) if told else rng.randrange(1, 60)), 1)
        legs, more = [(expiry, strike, right, side)], {}
        if told is None and chance < 0.10:
            wider = strike + 1000
            legs.append((expiry, wider, right, "sell" if side == "buy" else "buy"))
            more = {
                "combo_id": f"{currency}-{right}S-{tag(expiry)}-{strike}_{wider}",
                "combo_trade_id": str(next(ids)),
            }
        elif told is None and chance < 0.13:
            legs.append((expiry, strike, "P" if right == "C" else "C", side))
            more = {"block_trade_id": f"BLOCK-{next(blocks)}", "block_trade_leg_count": 2}
        for expires, k, r, leg_side in legs:
            years = (expires - at) / (365 * DAY_MS)
            iv = round(rng.uniform(45, 60), 2)
            price = max(0.0001, round(premium(spot, k, years, iv / 100, r) / spot, 4))
            name = f"{currency}-{tag(expires)}-{k}-{r}"
            trade = printed(at, name, price, amount, leg_side, iv=iv, **more)
            market.options.append(trade)
    return market


def walk(rng: random.Random, begin: int, end: int) -> list[float]:
    """Return a price a minute."""
    price, prices = 95_000.0, []
    for _ in range((end - begin) // 60_000 + 1):
        price *= math.exp(rng.gauss(0, 5e-4))
        prices.append(price)
    return prices


def arrivals(rng: random.Random, begin: int, end: int, a_day: int) -> list[int]:
    count = round(a_day * (end - begin) / DAY_MS)
    return [rng.randrange(begin, end) for _ in range(count)]


def bursts(rng: random.Random, market: Market):
    """Yield 1,500 trades of the perpetual within one minute of each day, 400 of them in one ms."""
    for day in range(market.days):
        start = day_ms(market.first) + day * DAY_MS + rng.randrange(3, 20) * 3_600_000
        for at in [start + 20_000] * 400 + [start + rng.randrange(60_000) for _ in range(1_100)]:
            yield at, "perpetual", {"side": "sell", "weight": 1}


def shocks(rng: random.Random, market: Market):
    """Yield each day's shocks: options bought at once, then the dealers' hedge."""
    for day in range(market.days):
        for hour in (10, 14, 18):
            start = (
                day_ms(market.first) + day * DAY_MS + hour * 3_600_000 + rng.randrange(1_800_000)
            )
            right = rng.choice("CP")
            strike = round(95_000 / 1000) * 1000
            bought = (expiries(start)[2], strike, right)
            for _ in range(40):
                at = start + rng.randrange(180_000)
                yield at, "option", {"side": "buy", "contract": bought}
            hedge = "buy" if right == "C" else "sell"
            for _ in range(120):
                at = start + 180_000 + rng.randrange(420_000)
                yield at, "perpetual", {"side": hedge, "weight": 400}


def midnights(market: Market):
    """Yield trades of the first and the last millisecond of each day."""
    for day in range(market.days):
        start = day_ms(market.first) + day * DAY_MS
        for at in (start, start + DAY_MS - 1):
            yield at, "perpetual", None
            yield at, "option", None


def expiries(at: int) -> list[int]:
    """Return the next three days' expiries and the next two Fridays', at 08:00 UTC."""
    today = datetime.fromtimestamp(at / 1000, UTC).date()
    found = {day_ms(today + timedelta(days=ahead)) + 8 * 3_600_000 for ahead in range(1, 4)}
    friday = today + timedelta(days=(4 - today.weekday()) % 7 + 7)
    found |= {day_ms(friday + timedelta(days=7 * week)) + 8 * 3_600_000 for week in range(2)}
    return sorted(found)


def contract(rng: random.Random, at: int, spot: float) -> tuple[int, int, str]:
    strike = round(spot * math.exp(rng.gauss(0, 0.04)) / 1000) * 1000
    return rng.choice(expiries(at)), strike, rng.choice("CP")


def tag(expiry: int) -> str:
    day = datetime.fromtimestamp(expiry / 1000, UTC)
    return f"{day.day}{MONTHS[day.month - 1]}{day.year % 100}"


def premium(spot: float, strike: float, years: float, sigma: float, right: str) -> float:
    """Return an undiscounted Black value in US dollars."""
    deviation = sigma * math.sqrt(years)
    d1 = math.log(spot / strike) / deviation + deviation / 2
    sign = 1 if right == "C" else -1
    return sign * (spot * normal(sign * d1) - strike * normal(sign * (d1 - deviation)))


def normal(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


# --- the server ---------------------------------------------------------------------------------


@dataclass
class Faults:
    """What goes wrong: a kind of fault at some requests, counted from 0; "forever" hits all."""

    at: dict[int, str] = field(default_factory=dict)
    every: tuple[str, int] | None = None
    after: str | None = None
    """Of every request that is not listed in `at`."""

    def of(self, request: int) -> str | None:
        if self.every is not None and request % self.every[1] == self.every[1] - 1:
            return self.every[0]
        return self.at.get(request, self.after)


class HistoryServer:
    """Answers the public/get_last_trades methods; counts what it was asked."""

    def __init__(self, market: Market, faults: Faults | None = None) -> None:
        self.market = market
        self.faults = faults or Faults()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.withheld: set[str] = set()
        """Ids of trades that the server does not give out."""
        self.by_time_only: set[str] = set()
        """Ids of trades that it gives out when asked by number, and not by time."""
        self.keeps_from_ms = 0
        """What is older is gone without a word, as www.deribit.com does after a day."""
        self.says_more = True
        """Whether has_more is ever true; the real server has been seen to deny it wrongly."""
        self.delay_seconds = 0.0
        self._index()

    def _index(self) -> None:
        self._tables = {
            "option": Table(self.market.options),
            "perpetual": Table(self.market.perpetual),
        }

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v2/public/{method}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = dict(request.query)
        fault = self.faults.of(len(self.requests))
        self.requests.append((request.match_info["method"], asked))
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if fault is not None:
            spoiled = await self.spoil(fault, request)
            if spoiled is not None:
                return spoiled
        try:
            trades, has_more = self.select(request.match_info["method"], asked)
        except (KeyError, ValueError) as wrong:
            return refused(-32602, f"Invalid params: {wrong}", 400)
        if fault == "instrument":
            trades = [trades[0] | {"instrument_name": "ETH-PERPETUAL"}, *trades[1:]]
        if fault == "time":
            trades = [*trades[:-1], trades[-1] | {"timestamp": trades[-1]["timestamp"] + DAY_MS}]
        return answered({"trades": disordered(trades), "has_more": has_more})

    async def spoil(self, fault: str, request: web.Request) -> web.StreamResponse | None:
        """Do what a fault does, or nothing where it only changes trades."""
        now = datetime.now(UTC)
        dates = {"Retry-After": format_datetime(now + timedelta(seconds=1), usegmt=True),
                 "Date": format_datetime(now, usegmt=True)}  # fmt: skip
        if fault in {"429", "429-seconds", "429-date"}:
            headers = {"429-seconds": {"Retry-After": "1"}, "429-date": dates}
            return refused(10028, "too_many_requests", 429, headers.get(fault, {}))
        if fault == "forever":
            return refused(10028, "too_many_requests", 429, {"Retry-After": "86400"})
        if fault == "10028":
            return refused(10028, "too_many_requests", 200)
        if fault == "400":
            return refused(-32602, "Invalid params", 400)
        if fault in {"404", "500", "502"}:
            return web.Response(status=int(fault), text=f"<html>{fault} from a proxy</html>")
        if fault == "timeout":
            await asyncio.sleep(30)
        if fault == "reset":
            request.transport.abort()
            return web.Response()
        if fault == "truncated":
            response = web.StreamResponse(headers={"Content-Length": "100000"})
            await response.prepare(request)
            await response.write(b'{"jsonrpc":"2.0","result":{"trades":[{"trade_id":"24')
            request.transport.close()
            return response
        bodies = {
            "garbage": b'{"jsonrpc": "2.0", "result": {"trades": [[[\x00\xff',
            "html": b"<!DOCTYPE html><html><body>Log in to the hotel's network</body></html>",
            "shape": b'{"jsonrpc":"2.0","result":{"bids":[[95000.0,10.0]],"asks":[]}}',
        }
        return web.Response(body=bodies[fault]) if fault in bodies else None

    def select(self, method: str, asked: dict[str, str]) -> tuple[list[dict], bool]:
        """Return the trades that the method gives, in its order, and whether there are more."""
        asked = dict(asked)
        asked.pop("include_old", None)
        count, sorting = int(asked.pop("count", "10")), asked.pop("sorting", "default")
        if not 1 <= count <= MAX_COUNT or sorting not in {"asc", "desc"}:
            message = f"count {count} or sorting {sorting}"
            raise ValueError(message)
        if "by_currency" in method:
            if asked.pop("currency") != self.market.currency or asked.pop("kind") != "option":
                message = "currency or kind"
                raise ValueError(message)
            trades = self._tables["option"]
        else:
            name = asked.pop("instrument_name")
            trades = self._tables["perpetual" if name.endswith("PERPETUAL") else "option"].of(name)
        if method.endswith("_and_time"):
            chosen = trades.between(int(asked.pop("start_timestamp")),
                                    int(asked.pop("end_timestamp")))  # fmt: skip
            chosen = [t for t in chosen if t["trade_id"] not in self.by_time_only]
        elif "start_id" in asked:
            start = int(asked.pop("start_id").split("-")[-1])
            chosen = [t for t in trades.rows if number(t) >= start]
        else:
            low, high = int(asked.pop("start_seq")), int(asked.pop("end_seq", 10**12))
            chosen = [t for t in trades.rows if low <= t["trade_seq"] <= high]
        if asked:
            message = f"unknown {', '.join(asked)}"
            raise ValueError(message)
        chosen = [t for t in chosen if t["trade_id"] not in self.withheld]
        chosen = [t for t in chosen if t["timestamp"] >= self.keeps_from_ms]
        ordered = chosen if sorting == "asc" else chosen[::-1]
        return ordered[:count], self.says_more and len(ordered) > count


class Table:
    """Trades by the number of their ids, found by time."""

    def __init__(self, rows: list[dict]) -> None:
        self.rows = sorted(rows, key=number)
        self.by_time = sorted(rows, key=lambda t: t["timestamp"])
        self.stamps = [t["timestamp"] for t in self.by_time]
        self.named: dict[str, Table] = {}

    def of(self, name: str) -> Table:
        if name not in self.named:
            mine = [t for t in self.rows if t["instrument_name"] == name]
            self.named[name] = Table(mine)
        return self.named[name]

    def between(self, start: int, end: int) -> list[dict]:
        low, high = bisect.bisect_left(self.stamps, start), bisect.bisect_right(self.stamps, end)
        return sorted(self.by_time[low:high], key=number)


def disordered(trades: list[dict]) -> list[dict]:
    """Return a page as the real server gives it: here and there two neighbours have changed."""
    found = list(trades)
    for at in range(3, len(found) - 1, 7):
        found[at], found[at + 1] = found[at + 1], found[at]
    return found


def answered(result: dict) -> web.Response:
    now = time.time_ns() // 1000
    envelope = {"jsonrpc": "2.0", "result": result, "usIn": now, "usOut": now + 384,
                "usDiff": 384, "testnet": False}  # fmt: skip
    return web.Response(body=json.dumps(envelope).encode(), content_type="application/json")


def refused(code: int, message: str, status: int, headers: dict | None = None) -> web.Response:
    body = {"jsonrpc": "2.0", "error": {"message": message, "code": code}, "testnet": False}
    return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def serving(server: HistoryServer, port: int = 0):
    """Serve on the loopback and give the URL."""
    runner = web.AppRunner(server.app(), handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def serve_until_stopped(options: argparse.Namespace) -> None:
    market = simulated_market(
        options.first, options.days, seed=options.seed, perpetual_a_day=options.trades,
        options_a_day=options.trades // 10, currency=options.currency,
    )  # fmt: skip
    faults = Faults(every=(options.fault, options.every)) if options.fault else Faults()
    server = HistoryServer(market, faults)
    server.delay_seconds = options.delay
    async with serving(server, options.port) as url:
        last = options.first + timedelta(days=options.days - 1)
        trades = len(market.options) + len(market.perpetual)
        print(  # noqa: T201 - a script's result
            f"{trades} trades of {options.currency}, {options.first} to {last}, on {url}",
            flush=True,
        )
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--first", type=date.fromisoformat, default=date(2025, 1, 6))
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--currency", choices=["BTC", "ETH"], default="BTC")
    parser.add_argument("--trades", type=int, default=30_000, help="of the perpetual a day")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--fault", choices=FAULTS, help="what goes wrong")
    parser.add_argument("--every", type=int, default=7, help="at each so-manieth request")
    try:
        asyncio.run(serve_until_stopped(parser.parse_args()))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
