"""A local server that answers as exchanges do: Binance, Bybit, OKX, Gate and Backpack.

The shapes are the exchanges' own, as ccxt's sources quote recorded answers and as
`backpack-messages` of the market data holds them; only the series of values is made here.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PERIODS_MS = {
    "1m": MINUTE_MS, "1": MINUTE_MS, "5m": 5 * MINUTE_MS, "5": 5 * MINUTE_MS,
    "5min": 5 * MINUTE_MS, "1h": HOUR_MS, "1H": HOUR_MS, "60": HOUR_MS,
}  # fmt: skip
RETRY_AFTER_SECONDS = 7
JSON, HTML = "application/json", "text/html"
FAULTS = {
    "429": (429, JSON, b'{"code":-1003,"msg":"Too many requests; please use the websocket."}'),
    "429-date": (429, JSON, b'{"code":-1003,"msg":"Too many requests."}'),
    "500": (500, HTML, b"<html><body>Internal Server Error</body></html>"),
    "451": (451, JSON, b'{"code":0,"msg":"Service unavailable from a restricted location"}'),
    "garbage": (200, HTML, b"<html><body>One moment, please</body></html>"),
    "shape": (200, JSON, b'[["soon","x"]]'),
}
FUNDING_EVERY_MS = 8 * HOUR_MS
INVERSE_CONTRACT_USD = 100
OKX_CONTRACT_COINS = 0.01
GATE_CONTRACT_COINS = 0.0001


def price(ms: int) -> float:
    """Return the price at an instant: never the same at two neighbouring minutes."""
    return 60_000.0 + (ms // MINUTE_MS * 37) % 1009


def volume(ms: int) -> float:
    """Return the coins traded in the bar that starts at an instant."""
    return 1.0 + (ms // MINUTE_MS * 11) % 97 / 8


def rate(ms: int) -> float:
    """Return the funding rate paid at an instant: sometimes negative."""
    return ((ms // HOUR_MS * 7) % 23 - 5) / 100_000


def interest(ms: int) -> float:
    """Return the coins of open positions at an instant."""
    return 70_000.0 + (ms // MINUTE_MS * 3) % 4001


def ratio(ms: int) -> float:
    """Return long over short accounts at an instant, exact in four digits."""
    return 0.5 + (ms // MINUTE_MS * 13) % 8000 / 4000


def jitter(ms: int) -> int:
    """Return the milliseconds by which a settlement's stamp is late."""
    return (ms // HOUR_MS) % 9


@dataclass
class LocalExchange:
    """What the server answers with; tests change it before they ask.

    Attributes
    ----------
    now_ms : int
        The exchange's clock: the bar that contains it is still open, and is sent.
    holes : list of (start, end)
        Nothing was recorded in these milliseconds.
    largest_page : int
        Rows in an answer at most, whatever is asked for.
    history_ms : int
        How far back open interest and ratios of Binance reach.
    faults : dict
        By the number of the request for data, counted from 1: ``429``, ``500``, ``garbage``,
        ``cut`` (the connection ends in the middle), ``shape`` (JSON of another form), ``451``.
    at_request : dict
        Callables by the same number, called before the answer.
    ignores_end : bool
        Answers go on behind the end that was asked for.
    quiet : set of int
        Stamps of Backpack's bars in which nothing was traded.
    impossible : set of int
        Stamps of Binance's bars whose highest price is below the others.
    log : list
        Path and parameters of each request.
    """

    now_ms: int
    holes: list[tuple[int, int]] = field(default_factory=list)
    largest_page: int = 1_500
    history_ms: int = 30 * DAY_MS
    faults: dict[int, str] = field(default_factory=dict)
    at_request: dict[int, Any] = field(default_factory=dict)
    ignores_end: bool = False
    quiet: set[int] = field(default_factory=set)
    impossible: set[int] = field(default_factory=set)
    log: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def stamps(
        self, start: int, end: int, step: int, limit: int, *, last: bool = False
    ) -> list[int]:
        """Return up to `limit` stamps in [start, end], the first or the last of them."""
        first = -(-start // step) * step
        until = self.now_ms if self.ignores_end else min(end, self.now_ms)
        there = [
            ms
            for ms in range(first, until + 1, step)
            if not any(a <= ms < b for a, b in self.holes)
        ]
        limit = min(limit, self.largest_page)
        return there[-limit:] if last else there[:limit]

    def data_requests(self) -> Counter[str]:
        """Return how often each path was asked for data."""
        return Counter(path for path, _ in self.log if not is_listing(path))


def is_listing(path: str) -> bool:
    """Say whether a path lists markets."""
    names = ("exchangeInfo", "instruments-info", "instruments", "markets", "securities")
    return path.endswith((*names, "/contracts"))


@contextmanager
def serving(exchange: LocalExchange):
    """Answer on a free port of 127.0.0.1 while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            exchange.log.append((parts.path, query))
            fault = None
            if not is_listing(parts.path):
                number = sum(exchange.data_requests().values())
                exchange.at_request.get(number, lambda: None)()
                fault = exchange.faults.get(number)
            if fault is not None:
                self.fail(fault)
                return
            status, answer = respond(exchange, parts.path, query)
            self.send(status, json.dumps(answer).encode())

        def send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", headers.pop("kind", "application/json"))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def fail(self, fault: str) -> None:
            if fault == "cut":
                self.send_response(200)
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(b'[[1746403200000,"600')
                return
            status, kind, body = FAULTS[fault]
            asked = str(RETRY_AFTER_SECONDS)
            if fault == "429-date":
                asked = self.date_time_string(int(time()) + RETRY_AFTER_SECONDS)
            more = {"Retry_After": asked} if status == 429 else {}
            self.send(status, body, kind=kind, **more)

        def log_message(self, *arguments: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    exchange.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield exchange
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def respond(exchange: LocalExchange, path: str, query: dict[str, str]) -> tuple[int, Any]:
    """Return status and answer of the exchange whose path it is."""
    for prefix, answer in (
        ("/v5/", bybit),
        ("/api/v5/", okx),
        ("/api/v4/", gate),
        ("/api/v1/", backpack),
    ):
        if path.startswith(prefix):
            return answer(exchange, path.removeprefix(prefix), query)
    return binance(exchange, path, query)


def candle(ms: int, step: int) -> tuple[str, str, str, str]:
    """Return open, high, low and close as exchanges write them."""
    opens, closes = price(ms), price(ms + step)
    return f"{opens:.2f}", f"{max(opens, closes) + 5:.2f}", f"{min(opens, closes) - 5:.2f}", (
        f"{closes:.2f}"
    )  # fmt: skip


# --- Binance ------------------------------------------------------------------------------------


def binance(exchange: LocalExchange, path: str, query: dict[str, str]) -> tuple[int, Any]:
    if path.endswith("exchangeInfo"):
        inverse = path.startswith("/dapi/")
        symbols = [binance_inverse()] if inverse else [binance_linear(q) for q in ("USDT", "USDC")]
        return 200, {"timezone": "UTC", "serverTime": exchange.now_ms, "symbols": symbols}
    start, end = int(query["startTime"]), int(query["endTime"])
    if path.endswith("klines"):
        step = PERIODS_MS[query["interval"]]
        stamps = exchange.stamps(start, end, step, int(query["limit"]))
        rows = [binance_candle(ms, step, path.startswith("/dapi/")) for ms in stamps]
        for row in rows:
            if row[0] in exchange.impossible:
                row[2] = "1.00"
        return 200, rows
    if path.endswith("fundingRate"):
        stamps = exchange.stamps(start, end, FUNDING_EVERY_MS, int(query["limit"]))
        return 200, [
            {
                "symbol": query["symbol"],
                "fundingTime": ms + jitter(ms),
                "fundingRate": f"{rate(ms):.8f}",
                "markPrice": f"{price(ms):.8f}",
            }
            for ms in stamps
        ]
    if start < exchange.now_ms - exchange.history_ms:
        return 400, {"code": -1130, "msg": "parameter 'startTime' is invalid."}
    step = PERIODS_MS[query["period"]]
    stamps = exchange.stamps(start, end, step, min(int(query["limit"]), 500), last=True)
    if path.endswith("openInterestHist"):
        return 200, [binance_interest(ms, query) for ms in stamps]
    named = {"pair": query["pair"]} if "pair" in query else {"symbol": query["symbol"]}
    return 200, [
        named
        | {
            "longAccount": f"{ratio(ms) / (1 + ratio(ms)):.4f}",
            "longShortRatio": f"{ratio(ms):.4f}",
            "shortAccount": f"{1 / (1 + ratio(ms)):.4f}",
            "timestamp": ms,
        }
        for ms in stamps
    ]


def binance_candle(ms: int, step: int, inverse: bool) -> list[Any]:
    coins = volume(ms)
    traded = coins * price(ms) / INVERSE_CONTRACT_USD if inverse else coins
    other = coins if inverse else coins * price(ms)
    return [
        ms, *candle(ms, step), f"{traded:.3f}", ms + step - 1, f"{other:.8f}", 40,
        f"{traded / 2:.3f}", f"{other / 2:.8f}", "0",
    ]  # fmt: skip


def binance_interest(ms: int, query: dict[str, str]) -> dict[str, Any]:
    coins = interest(ms)
    if "pair" in query:
        contracts = coins * price(ms) / INVERSE_CONTRACT_USD
        named = {"pair": query["pair"], "contractType": query["contractType"]}
        amounts = {
            "sumOpenInterest": f"{contracts:.8f}",
            "sumOpenInterestValue": f"{coins:.8f}",
        }
    else:
        named = {"symbol": query["symbol"]}
        amounts = {
            "sumOpenInterest": f"{coins:.8f}",
            "sumOpenInterestValue": f"{coins * price(ms):.8f}",
        }
    return {**named, **amounts, "timestamp": ms}


def binance_linear(quote: str) -> dict[str, Any]:
    return {
        "symbol": f"BTC{quote}", "pair": f"BTC{quote}", "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000, "onboardDate": 1569398400000, "status": "TRADING",
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": "BTC",
        "quoteAsset": quote, "marginAsset": quote, "pricePrecision": 2, "quantityPrecision": 3,
        "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
        "filters": [
            {"minPrice": "0.01", "maxPrice": "100000", "filterType": "PRICE_FILTER",
             "tickSize": "0.01"},
            {"stepSize": "0.001", "filterType": "LOT_SIZE", "maxQty": "1000", "minQty": "0.001"},
            {"stepSize": "0.001", "filterType": "MARKET_LOT_SIZE", "maxQty": "1000",
             "minQty": "0.001"},
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }  # fmt: skip


def binance_inverse() -> dict[str, Any]:
    return {
        "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000, "onboardDate": 1596006000000, "contractStatus": "TRADING",
        "contractSize": INVERSE_CONTRACT_USD, "marginAsset": "BTC", "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000", "baseAsset": "BTC", "quoteAsset": "USD",
        "pricePrecision": 1, "quantityPrecision": 0, "baseAssetPrecision": 8, "quotePrecision": 8,
        "equalQtyPrecision": 4,
        "filters": [
            {"minPrice": "0.1", "maxPrice": "100000", "filterType": "PRICE_FILTER",
             "tickSize": "0.1"},
            {"stepSize": "1", "filterType": "LOT_SIZE", "maxQty": "100000", "minQty": "1"},
        ],
        "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }  # fmt: skip


# --- Bybit: newest first ------------------------------------------------------------------------


def bybit(exchange: LocalExchange, path: str, query: dict[str, str]) -> tuple[int, Any]:
    category = query["category"]
    result: dict[str, Any] = {"symbol": query.get("symbol", ""), "category": category}
    if path == "market/instruments-info":
        listed = query.get("status") != "PreLaunch" and category == "linear"
        result = {"category": category, "list": [bybit_market()] if listed else []}
        result["nextPageCursor"] = ""
    elif path == "market/kline":
        step = PERIODS_MS[query["interval"]]
        limit = min(int(query["limit"]), 1000)
        stamps = exchange.stamps(int(query["start"]), int(query["end"]), step, limit, last=True)
        result["list"] = [bybit_candle(ms, step) for ms in reversed(stamps)]
    else:
        start, end = int(query["startTime"]), int(query["endTime"])
        every = {"market/open-interest": "intervalTime", "market/account-ratio": "period"}
        step = PERIODS_MS[query[every[path]]] if path in every else FUNDING_EVERY_MS
        limit = min(int(query["limit"]), 200)
        stamps = exchange.stamps(start, end, step, limit, last=True)
        figures = {
            "market/funding/history": bybit_funding,
            "market/open-interest": bybit_interest,
            "market/account-ratio": bybit_ratio,
        }
        result["list"] = [figures[path](ms) for ms in reversed(stamps)]
        result["nextPageCursor"] = ""
    return 200, {
        "retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": exchange.now_ms
    }  # fmt: skip


def bybit_candle(ms: int, step: int) -> list[str]:
    return [str(ms), *candle(ms, step), f"{volume(ms):.3f}", f"{volume(ms) * price(ms):.4f}"]


def bybit_funding(ms: int) -> dict[str, str]:
    return {
        "symbol": "BTCUSDT",
        "fundingRate": f"{rate(ms):.8f}",
        "fundingRateTimestamp": str(ms),
    }


def bybit_interest(ms: int) -> dict[str, str]:
    return {"openInterest": f"{interest(ms):.8f}", "timestamp": str(ms)}


def bybit_ratio(ms: int) -> dict[str, str]:
    long = ratio(ms) / (1 + ratio(ms))
    return {
        "symbol": "BTCUSDT",
        "buyRatio": f"{long:.4f}",
        "sellRatio": f"{1 - long:.4f}",
        "timestamp": str(ms),
    }


def bybit_market() -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading",
        "baseCoin": "BTC", "quoteCoin": "USDT", "launchTime": "1585526400000",
        "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.50", "maxPrice": "999999.00", "tickSize": "0.50"},
        "lotSizeFilter": {
            "maxOrderQty": "100.000", "minOrderQty": "0.001", "qtyStep": "0.001",
            "postOnlyMaxOrderQty": "1000.000",
        },
        "unifiedMarginTrade": True, "fundingInterval": 480, "settleCoin": "USDT",
    }  # fmt: skip


# --- OKX: newest first, both ends of a range excluded -------------------------------------------


def okx(exchange: LocalExchange, path: str, query: dict[str, str]) -> tuple[int, Any]:
    if path == "public/instruments":
        data: list[Any] = [okx_market()]
    elif path.startswith("market/"):
        step = PERIODS_MS[query["bar"]]
        start, end = int(query["before"]) + 1, int(query["after"]) - 1
        stamps = exchange.stamps(start, end, step, min(int(query["limit"]), 300), last=True)
        data = [okx_candle(ms, step, exchange.now_ms) for ms in reversed(stamps)]
    elif path == "public/funding-rate-history":
        start, end = int(query["before"]) + 1, int(query["after"]) - 1
        limit = min(int(query["limit"]), 100)
        stamps = exchange.stamps(start, end, FUNDING_EVERY_MS, limit, last=True)
        data = [okx_funding(ms) for ms in reversed(stamps)]
    else:
        step = PERIODS_MS[query["period"]]
        start, end = int(query["begin"]) + 1, int(query["end"]) - 1
        stamps = exchange.stamps(start, end, step, min(int(query["limit"]), 100), last=True)
        figure = okx_interest if path.endswith("open-interest-history") else okx_ratio
        data = [figure(ms) for ms in reversed(stamps)]
    return 200, {"code": "0", "msg": "", "data": data}


def okx_candle(ms: int, step: int, now_ms: int) -> list[str]:
    coins = volume(ms)
    return [
        str(ms), *candle(ms, step), f"{coins / OKX_CONTRACT_COINS:.2f}", f"{coins:.4f}",
        f"{coins * price(ms):.4f}", "1" if ms + step <= now_ms else "0",
    ]  # fmt: skip


def okx_funding(ms: int) -> dict[str, str]:
    return {
        "formulaType": "withRate", "fundingRate": "0.9", "fundingTime": str(ms),
        "instId": "BTC-USDT-SWAP", "instType": "SWAP", "method": "current_period",
        "realizedRate": f"{rate(ms):.8f}",
    }  # fmt: skip


def okx_interest(ms: int) -> list[str]:
    coins = interest(ms)
    return [
        str(ms), f"{coins / OKX_CONTRACT_COINS:.2f}", f"{coins:.4f}", f"{coins * price(ms):.2f}"
    ]  # fmt: skip


def okx_ratio(ms: int) -> list[str]:
    return [str(ms), f"{ratio(ms):.4f}"]


def okx_market() -> dict[str, Any]:
    return {
        "alias": "", "baseCcy": "", "category": "1", "ctMult": "1", "ctType": "linear",
        "ctVal": str(OKX_CONTRACT_COINS), "ctValCcy": "BTC", "expTime": "",
        "instFamily": "BTC-USDT", "instId": "BTC-USDT-SWAP", "instType": "SWAP", "lever": "100",
        "listTime": "1573557408000", "lotSz": "1", "minSz": "1", "optType": "", "quoteCcy": "",
        "settleCcy": "USDT", "state": "live", "stk": "", "tickSz": "0.1", "uly": "BTC-USDT",
    }  # fmt: skip


# --- Gate: seconds, quantities in contracts -----------------------------------------------------


def gate(exchange: LocalExchange, path: str, query: dict[str, str]) -> tuple[int, Any]:
    if path.endswith("/contracts"):
        return 200, [gate_market()] if path == "futures/usdt/contracts" else []
    step = PERIODS_MS.get(query.get("interval", ""), FUNDING_EVERY_MS)
    start = int(query["from"]) * 1000
    end = int(query.get("to", exchange.now_ms // 1000)) * 1000
    stamps = exchange.stamps(start, end, step, int(query.get("limit", 2000)))
    figures = {
        "futures/usdt/candlesticks": gate_candle,
        "futures/usdt/contract_stats": gate_stats,
        "futures/usdt/funding_rate": gate_funding,
    }
    return 200, [figures[path](ms, step) for ms in stamps]


def gate_candle(ms: int, step: int) -> dict[str, Any]:
    opens, high, low, closes = candle(ms, step)
    contracts = round(volume(ms) / GATE_CONTRACT_COINS)
    return {"t": ms // 1000, "o": opens, "h": high, "c": closes, "l": low, "v": contracts}


def gate_stats(ms: int, step: int) -> dict[str, str]:
    return {
        "lsr_account": f"{ratio(ms):.4f}", "mark_price": f"{price(ms):.2f}",
        "time": str(ms // 1000), "open_interest": f"{interest(ms) / GATE_CONTRACT_COINS:.0f}",
        "open_interest_usd": f"{interest(ms) * price(ms):.4f}",
    }  # fmt: skip


def gate_funding(ms: int, step: int) -> dict[str, Any]:
    return {"t": ms // 1000, "r": f"{rate(ms):.6f}"}


def gate_market() -> dict[str, Any]:
    return {
        "name": "BTC_USDT", "type": "direct", "quanto_multiplier": str(GATE_CONTRACT_COINS),
        "leverage_min": "1", "leverage_max": "100", "maintenance_rate": "0.005",
        "mark_type": "index", "order_price_round": "0.1", "mark_price_round": "0.1",
        "funding_interval": 28800, "order_size_min": 1, "order_size_max": 1000000,
        "order_price_deviate": "0.5", "maker_fee_rate": "-0.00025", "taker_fee_rate": "0.00075",
        "in_delisting": False, "create_time": 1546905600,
    }  # fmt: skip


# --- Backpack: funding from the newest backwards, by count; dates as text -----------------------


def backpack(exchange: LocalExchange, path: str, query: dict[str, str]) -> tuple[int, Any]:
    if path == "markets":
        return 200, [backpack_market()]
    if path == "securities":
        return 200, []
    if path == "klines":
        step = PERIODS_MS[query["interval"]]
        start, end = int(query["startTime"]) * 1000, int(query["endTime"]) * 1000
        stamps = exchange.stamps(start, end, step, 1000)
        return 200, [backpack_candle(ms, step, ms in exchange.quiet) for ms in stamps]
    newest = range(exchange.now_ms // HOUR_MS * HOUR_MS, 0, -HOUR_MS)
    offset, limit = int(query.get("offset", "0")), min(int(query["limit"]), exchange.largest_page)
    return 200, [
        {
            "fundingRate": f"{rate(ms):.7f}",
            "intervalEndTimestamp": text(ms, "T"),
            "symbol": query["symbol"],
        }
        for ms in newest[offset : offset + limit]
    ]


def backpack_candle(ms: int, step: int, quiet: bool) -> dict[str, Any]:
    opens, high, low, closes = (None,) * 4 if quiet else candle(ms, step)
    traded = 0.0 if quiet else volume(ms)
    return {
        "close": closes, "end": text(ms + step, " "), "high": high, "low": low, "open": opens,
        "quoteVolume": f"{traded * price(ms):.6f}", "start": text(ms, " "),
        "trades": "0" if quiet else "12", "volume": f"{traded:.5f}",
    }  # fmt: skip


def backpack_market() -> dict[str, Any]:
    return {
        "baseSymbol": "BTC", "createdAt": "2025-01-21T06:34:54.691858",
        "filters": {
            "price": {
                "borrowEntryFeeMaxMultiplier": None, "borrowEntryFeeMinMultiplier": None,
                "maxImpactMultiplier": "1.03", "maxMultiplier": "1.25", "maxPrice": None,
                "meanMarkPriceBand": {"maxMultiplier": "1.03", "minMultiplier": "0.97"},
                "meanPremiumBand": None, "minImpactMultiplier": "0.97", "minMultiplier": "0.75",
                "minPrice": "0.01", "tickSize": "0.1",
            },
            "quantity": {"maxQuantity": None, "minQuantity": "0.00001", "stepSize": "0.00001"},
        },
        "fundingInterval": "3600000", "fundingRateLowerBound": None,
        "fundingRateUpperBound": None, "imfFunction": None, "marketType": "PERP",
        "mmfFunction": None, "openInterestLimit": "0", "orderBookState": "Open",
        "positionLimitWeight": None, "quoteSymbol": "USDC", "symbol": "BTC_USDC_PERP",
        "visible": True,
    }  # fmt: skip


def text(ms: int, between: str) -> str:
    """Return an instant as Backpack writes it, without a zone."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime(f"%Y-%m-%d{between}%H:%M:%S")
