"""Profit of a closed position: linear contracts in USD, inverse ones in coin and USD."""

from __future__ import annotations

from typing import NamedTuple


def linear_pnl_usd(direction: int, units: float, entry_price: float, exit_price: float) -> float:
    """Return direction x units x (exit - entry), USD.

    Parameters
    ----------
    direction : int
        +1 long, -1 short.
    units : float
        Underlying units held, non-negative.
    entry_price, exit_price : float
        USD per underlying unit.
    """
    return direction * units * (exit_price - entry_price)


class InversePnl(NamedTuple):
    """Profit of an inverse contract: in coin, and in USD at the exit price."""

    coin: float
    usd: float


def inverse_pnl(
    direction: int, notional_usd: float, entry_price: float, exit_price: float
) -> InversePnl:
    """Return the profit of an inverse perpetual or future.

    Each contract is worth a fixed number of dollars and pays in coin, so the coin profit is
    direction x notional x (1/entry - 1/exit); at the exit price that is exactly the linear profit
    of notional/entry coins (volume-shock.md 1).

    Parameters
    ----------
    direction : int
        +1 long, -1 short.
    notional_usd : float
        Contracts x contract size, USD.
    entry_price, exit_price : float
        USD per coin, positive.
    """
    coin = direction * notional_usd * (1.0 / entry_price - 1.0 / exit_price)
    return InversePnl(coin, coin * exit_price)
