"""Deribit's messages, HTTP answers and WebSocket notifications alike, decoded and checked.

Fields that Deribit adds later are ignored; a field that is needed and is missing or of another type
refuses the message. Shapes: docs.deribit.com, API v2 (JSON-RPC 2.0); times are milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from hedgeflow.market.errors import DataError

SHOWN_BYTES: Final = 80
"""How much of a message that cannot be read is quoted."""

TRANSIENT_CODES: Final = frozenset({10028, 10040, 10041, 10047, 10066, 11051, 11094, 13028, 13888})
"""Errors after which the same request may succeed later (docs.deribit.com, "RPC error codes").

Too many requests, retry, settlement in progress, matching engine queue full, too many concurrent
requests, maintenance, internal server error, temporarily unavailable, timed out.
"""


class DeribitError(DataError):
    """An error that Deribit itself answered.

    Parameters
    ----------
    code : int
    message : str
        As Deribit words it.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(f"Deribit refuses the request: {message} (code {code})")

    @property
    def is_transient(self) -> bool:
        """The same request may succeed later."""
        return self.code in TRANSIENT_CODES


TradeId = Annotated[str, msgspec.Meta(pattern="^([A-Z0-9_]+-)?[0-9]+$")]
"""``244343036`` for bitcoin, ``ETH-284830839`` for ether."""


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One public trade.

    Attributes
    ----------
    trade_id : str
        Unique for each currency; a number, after ``ETH-`` for ether.
    trade_seq : int
        Number of the trade within its instrument; consecutive.
    instrument_name : str
    timestamp : int
        Milliseconds since 1970.
    price : float
        Coins for inverse options, US dollars for perpetuals and inverse futures.
    amount : float
        Coins for options, US dollars for perpetuals and inverse futures.
    direction : str
        ``buy`` or ``sell``: the taker's side.
    index_price, mark_price : float, optional
    iv : float, optional
        Implied volatility of an option trade, per cent.
    contracts, tick_direction, liquidation : optional
    block_trade_id, block_trade_leg_count, block_rfq_id : optional
        Where the trade is part of a block.
    combo_id, combo_trade_id : optional
        Where the trade is a leg of a combination: its instrument, and the id of its trade.
    legs : tuple of Trade, optional
        Of a trade of a combination.
    """

    trade_id: TradeId
    trade_seq: int
    instrument_name: str
    timestamp: int
    price: float
    amount: float
    direction: Literal["buy", "sell"]
    index_price: float | None = None
    mark_price: float | None = None
    iv: float | None = None
    contracts: float | None = None
    tick_direction: int | None = None
    liquidation: str | None = None
    block_trade_id: str | None = None
    block_trade_leg_count: int | None = None
    block_rfq_id: int | None = None
    combo_id: str | None = None
    combo_trade_id: str | int | None = None
    legs: tuple[Trade, ...] | None = None

    @property
    def number(self) -> int:
        """The number in the trade's id: later trades of a currency have greater ones."""
        return int(self.trade_id.rpartition("-")[2])


class TradesPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the ``public/get_last_trades…`` methods.

    Attributes
    ----------
    trades : tuple of Trade
        In no order that can be relied on.
    has_more : bool
        The range held more trades than were asked for.
    """

    trades: tuple[Trade, ...]
    has_more: bool


class Ticker(msgspec.Struct, frozen=True, kw_only=True):
    """A ``ticker`` notification; prices as in `Trade`, null where a side of the book is empty."""

    instrument_name: str
    timestamp: int
    state: str
    mark_price: float
    index_price: float
    best_bid_price: float | None = None
    best_ask_price: float | None = None
    best_bid_amount: float | None = None
    best_ask_amount: float | None = None
    last_price: float | None = None
    open_interest: float | None = None
    current_funding: float | None = None
    funding_8h: float | None = None
    mark_iv: float | None = None
    underlying_price: float | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A ``quote`` notification: the best prices, null where a side of the book is empty."""

    instrument_name: str
    timestamp: int
    best_bid_price: float | None
    best_ask_price: float | None
    best_bid_amount: float
    best_ask_amount: float


class VolatilityIndex(msgspec.Struct, frozen=True, kw_only=True):
    """A ``deribit_volatility_index`` notification; the volatility is in per cent a year."""

    index_name: str
    timestamp: int
    volatility: float


Payload = tuple[Trade, ...] | Ticker | Quote | VolatilityIndex


class Notification(msgspec.Struct, frozen=True):
    """What a subscription sent: its channel, and the content decoded as the channel says."""

    channel: str
    data: Payload


class _Failure(msgspec.Struct, frozen=True):
    code: int
    message: str


class _TradesAnswer(msgspec.Struct, frozen=True):
    result: TradesPage | None = None
    error: _Failure | None = None


class _ErrorAnswer(msgspec.Struct, frozen=True):
    error: _Failure


class _Parameters(msgspec.Struct, frozen=True):
    channel: str
    data: msgspec.Raw


class _Subscription(msgspec.Struct, frozen=True):
    method: Literal["subscription"]
    params: _Parameters


T = TypeVar("T")

_TRADES: Final = msgspec.json.Decoder(_TradesAnswer)
_ERROR: Final = msgspec.json.Decoder(_ErrorAnswer)
_SUBSCRIPTION: Final = msgspec.json.Decoder(_Subscription)
_CHANNELS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "trades": msgspec.json.Decoder(tuple[Trade, ...]),
    "ticker": msgspec.json.Decoder(Ticker),
    "quote": msgspec.json.Decoder(Quote),
    "deribit_volatility_index": msgspec.json.Decoder(VolatilityIndex),
}
"""Decoders of what a channel sends, by the channel's first word."""


def decode_trades_page(body: bytes) -> TradesPage:
    """Return the trades of an HTTP answer.

    Raises
    ------
    DeribitError
        Deribit answered with an error.
    DataError
        The answer is no JSON, or not of the shape of trades.
    """
    answer = _decoded(_TRADES, body, "answer with trades")
    if answer.error is not None:
        raise DeribitError(answer.error.code, answer.error.message)
    if answer.result is None:
        raise DataError(f"the answer has neither result nor error: {_quoted(body)}")
    return answer.result


def decode_error(body: bytes) -> DeribitError | None:
    """Return the error that an answer carries, or None where it carries none."""
    try:
        answer = _ERROR.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return DeribitError(answer.error.code, answer.error.message)


def decode_notification(body: bytes) -> Notification:
    """Return what a subscription sent.

    Raises
    ------
    DataError
        The message is no notification, or of a channel whose content is not known here.
    """
    sent = _decoded(_SUBSCRIPTION, body, "notification").params
    kind = sent.channel.partition(".")[0]
    decoder = _CHANNELS.get(kind)
    if decoder is None:
        raise DataError(
            f"channel '{sent.channel}' is not known",
            hint=f"Known are channels of {', '.join(_CHANNELS)}",
        )
    data: Payload = _decoded(decoder, bytes(sent.data), f"{kind} notification")
    return Notification(sent.channel, data)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise DataError(f"this is no Deribit {what} ({cause}): {_quoted(body)}") from cause


def _quoted(body: bytes) -> str:
    text = body[:SHOWN_BYTES].decode(errors="replace")
    return repr(text) + ("…" if len(body) > SHOWN_BYTES else "")
