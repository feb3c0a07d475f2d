"""How prints were signed, against the side that customers really took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hedgeflow.signals.rules import SigningRule
from hedgeflow.studies.scoring.figures import Rate, f_score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

_SIGNS = (-1, 0, 1)


@dataclass(frozen=True, slots=True)
class RuleScore:
    """The prints that one rule signed.

    Attributes
    ----------
    rule : str
    right : Rate
        Of its prints; for NONE, which gives no sign, nothing is right.
    lots_right : float or None
        The same, prints weighted by their lots.
    assumed : float
        The probability that the configuration takes it to be right with.
    is_calibrated : bool or None
        Whether the interval of `right` holds that probability; None for NONE and where nothing was
        signed.
    """

    rule: str
    right: Rate
    lots_right: float | None
    assumed: float
    is_calibrated: bool | None


@dataclass(frozen=True, slots=True)
class SideScore:
    """One side of the signing: BUY or SELL."""

    side: str
    precision: Rate
    recall: Rate
    f1: float | None


@dataclass(frozen=True, slots=True)
class SigningScore:
    """Signing print by print.

    Attributes
    ----------
    right : Rate
        Of all prints, those without a sign counted as not right.
    lots_right : float or None
    rules : tuple of RuleScore
    sides : tuple of SideScore
    """

    right: Rate
    lots_right: float | None
    rules: tuple[RuleScore, ...]
    sides: tuple[SideScore, ...]


class SigningCounts:
    """Prints and lots by rule, sign given and true side, counted slice by slice."""

    def __init__(self) -> None:
        shape = (len(SigningRule), len(_SIGNS), len(_SIGNS))
        self._prints = np.zeros(shape, np.int64)
        self._lots = np.zeros(shape, np.int64)

    def add(
        self,
        sign: NDArray[Any],
        rule: NDArray[Any],
        side: NDArray[Any],
        lots: NDArray[np.int64],
    ) -> None:
        """Count prints.

        Parameters
        ----------
        sign, side : ndarray of shape (n,)
            -1, 0 or +1 as given, and as it was.
        rule : ndarray of shape (n,)
            Codes of `SigningRule`.
        lots : ndarray of shape (n,), int64
        """
        place = (rule.astype(np.int64), sign.astype(np.int64) + 1, side.astype(np.int64) + 1)
        np.add.at(self._prints, place, 1)
        np.add.at(self._lots, place, lots)

    def score(self, probabilities: Sequence[float]) -> SigningScore:
        """Return the score; `probabilities`, by `SigningRule`, are those that demand rests on."""
        rules = [self._rule(rule, probabilities[rule]) for rule in SigningRule]
        return SigningScore(
            right=Rate.out_of(_right(self._prints), int(self._prints.sum())),
            lots_right=_share(_right(self._lots), int(self._lots.sum())),
            rules=tuple(each for each in rules if each.right.of),
            sides=(self._side("BUY", 1), self._side("SELL", -1)),
        )

    def _rule(self, rule: SigningRule, assumed: float) -> RuleScore:
        prints, lots = self._prints[rule], self._lots[rule]
        right = Rate.out_of(_right(prints), int(prints.sum()))
        calibrated = None
        if rule is not SigningRule.NONE and right.low is not None and right.high is not None:
            calibrated = right.low <= assumed <= right.high
        lots_right = _share(_right(lots), int(lots.sum()))
        return RuleScore(rule.name, right, lots_right, assumed, calibrated)

    def _side(self, name: str, sign: int) -> SideScore:
        table = self._prints.sum(axis=0)
        hits = int(table[sign + 1, sign + 1])
        precision = Rate.out_of(hits, int(table[sign + 1].sum()))
        recall = Rate.out_of(hits, int(table[:, sign + 1].sum()))
        return SideScore(name, precision, recall, f_score(precision, recall))


def _right(table: NDArray[np.int64]) -> int:
    """Return the count of signs given (not 0) that were the true side."""
    return int(table[..., 0, 0].sum() + table[..., 2, 2].sum())


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
