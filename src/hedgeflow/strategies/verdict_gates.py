"""The gates that every strategy's verdict has: enough trades, and more than luck would show."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.claims import Gate

OF_SOURCE: Final = "needed for VALIDATED"
OURS: Final = "needed for VALIDATED, beyond the source's rules"
FEWEST_TRADES: Final = 50
BEATS_CHANCE: Final = "a p-value below 0.01 against random entries and against random directions"


def verdict_gates(*, win_rate: float, sharpe: float) -> tuple[Gate, ...]:
    """Return the gates that strategies share (evidence.md 4).

    Parameters
    ----------
    win_rate, sharpe : float
        What is claimed at least: a share, and an annualised ratio.
    """
    least = FEWEST_TRADES
    return (
        Gate("sample", f"at least {least} trades", "trades", ">=", least, 0, OF_SOURCE),
        Gate(
            "win-rate",
            f"a win rate of at least {100.0 * win_rate:g} %",
            "win_rate",
            ">=",
            win_rate,
            least,
            OF_SOURCE,
        ),
        Gate(
            "sharpe",
            f"an annualised Sharpe ratio of at least {sharpe:g}",
            "sharpe_annualised",
            ">=",
            sharpe,
            least,
            OF_SOURCE,
        ),
        Gate("significance", BEATS_CHANCE, "p_value", "<", 0.01, least, OF_SOURCE),
        Gate(
            "deflated-sharpe",
            "a probability of at least 95 % that the true Sharpe ratio exceeds what the best of all"
            " configurations tried would show by luck",
            "deflated_sharpe",
            ">=",
            0.95,
            least,
            OURS,
            of_source=False,
        ),
    )
