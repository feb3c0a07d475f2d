"""Expiration pressure on trial: markets pinned, repelled and left alone, whose truth is known."""

from hedgeflow.studies.judge.expiries.calibration import ExpiryCalibration, calibration_of
from hedgeflow.studies.judge.expiries.page import levels_verdict, page_of, power_words, sides_words
from hedgeflow.studies.judge.expiries.worlds import expiry_worlds_of

__all__ = [
    "ExpiryCalibration",
    "calibration_of",
    "expiry_worlds_of",
    "levels_verdict",
    "page_of",
    "power_words",
    "sides_words",
]
