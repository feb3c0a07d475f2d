"""What is claimed for the expiration pressure, to be tested and never assumed."""

from __future__ import annotations

from typing import Final

from hedgeflow.strategies.claim_bands import AN_EXPIRY_DAY, bands_together, class_bands
from hedgeflow.strategies.claims import Claim, Declaration, Gate, Hypothesis, NullKind, primary
from hedgeflow.strategies.expiration_pressure.config import ExpirationPressureConfig
from hedgeflow.strategies.expiration_pressure.controls import CONTROLS
from hedgeflow.strategies.verdict_gates import BEATS_CHANCE, OURS, verdict_gates

NULL_HYPOTHESIS: Final = (
    "As options expire, prices move neither away from strikes with large open interest nor towards"
    " them, whichever way dealers' gamma points."
)

PIN_RISK: Final = "PIN_RISK_MANAGEMENT"
PANIC: Final = "ASSIGNMENT_RISK_PANIC"
STEERING: Final = "STEERING"
OTHER: Final = "OTHER"

LEAST_DAYS: Final = 30
"""Expiry days below which nothing is shown of closes and last moves."""

_STEERED: Final = "the source: dealers push the price away from strikes with large open interest"
_PINNING: Final = "Ni, Pearson and Poteshman 2005: closes cluster at strikes of optionable stocks"
_GAMMA: Final = "Avellaneda and Lipkin 2003, Golez and Jackwerth 2012: the sign of gamma decides"
_PROBABILITY: Final = "the source: its formula is empirical, of historical pin risk data"
_FRIDAYS: Final = "claimed of the strategy: best on expiration Fridays, the monthly above all"

GATES: Final[tuple[Gate, ...]] = (
    *verdict_gates(win_rate=0.75, sharpe=2.0),
    Gate(
        "tradable-prices",
        "prices of an instrument that can be traded: an index cannot",
        "tradable_prices",
        ">=",
        1.0,
        0,
        OURS,
        of_source=False,
    ),
)
"""The verdict's gates: VALIDATED only when every one holds by its confidence bound."""

PRIMARY: Final[tuple[Claim, ...]] = (
    primary("sample", "at least 50 trades", "trades", ">=", 50, 0),
    primary("win-rate", "a win rate of at least 75 %", "win_rate", ">=", 0.75, 50),
    primary(
        "sharpe", "an annualised Sharpe ratio of at least 2", "sharpe_annualised", ">=", 2.0, 50
    ),
    primary("significance", BEATS_CHANCE, "p_value", "<", 0.01, 50),
    primary("drawdown", "a drawdown of at most 15 %", "drawdown", "<=", 0.15, 50),
)

_OF_STRIKES: Final[tuple[Claim, ...]] = (
    Claim(
        "pinning-nearest",
        "closes of expiry days lie otherwise from the nearest strike than those of other days do"
        " (two-sided, p below 0.01, Holm)",
        "pinning_holm_p_value",
        "<",
        0.01,
        LEAST_DAYS,
        _PINNING,
        group="pinning",
    ),
    Claim(
        "pinning-nearer",
        "and nearer to it",
        "pinning_distance_difference",
        "<",
        0.0,
        LEAST_DAYS,
        _PINNING,
        group="pinning",
    ),
    Claim(
        "pinning-heaviest",
        "closes of expiry days lie otherwise from the strike with the most open interest than their"
        " mirror images about the price before, more so than on other days (two-sided, p below"
        " 0.01, Holm)",
        "pinning_heaviest_holm_p_value",
        "<",
        0.01,
        LEAST_DAYS,
        _STEERED,
        group="steering",
    ),
    Claim(
        "steering-farther",
        "and farther from it",
        "pinning_heaviest_distance_difference",
        ">",
        0.0,
        LEAST_DAYS,
        _STEERED,
        group="steering",
    ),
    Claim(
        "gamma-drift",
        "before expiry the price moves towards a strike where dealers are long gamma and away from"
        " one where they are short (one-sided, p below 0.01, Holm)",
        "gamma_drift_holm_p_value",
        "<",
        0.01,
        LEAST_DAYS,
        _GAMMA,
        group="gamma",
    ),
    Claim(
        "gamma-drift-size",
        "by more than nothing, in basis points, between days with the strike on the same side",
        "gamma_drift_bps",
        ">",
        0.0,
        LEAST_DAYS,
        _GAMMA,
        group="gamma",
    ),
    Claim(
        "probability-source",
        "the source's probability of finishing at a strike beats the lognormal one (Brier score)",
        "brier_source_over_lognormal_skill",
        ">",
        0.0,
        LEAST_DAYS,
        _PROBABILITY,
        group="probability",
    ),
    Claim(
        "probability-lognormal",
        "the lognormal probability beats the frequency of past finishes (Brier score)",
        "brier_lognormal_skill",
        ">",
        0.0,
        LEAST_DAYS,
        "what the corrected rules rest on",
        group="probability",
    ),
    Claim(
        "probability-empirical",
        "the calibrated probability beats the lognormal one (Brier score)",
        "brier_empirical_over_lognormal_skill",
        ">",
        0.0,
        LEAST_DAYS,
        "what calibration is for",
        group="probability",
    ),
    Claim(
        "best-on-fridays",
        "trades of expiration Fridays earn more than those of other expiry days (p below 0.01)",
        "expiration_fridays_p_value",
        "<",
        0.01,
        LEAST_DAYS,
        _FRIDAYS,
    ),
)

CLAIMS: Final[tuple[Claim, ...]] = (
    *PRIMARY,
    *_OF_STRIKES,
    *class_bands(
        "pin-risk",
        PIN_RISK,
        win_rate=(0.70, 0.80),
        win=(10, 20),
        loss=(10, 15),
        hold=(20, 45),
        frequency=(2, 4),
        a_day=AN_EXPIRY_DAY,
    ),
    *class_bands(
        "panic",
        PANIC,
        win_rate=(0.85, 0.95),
        win=(15, 35),
        loss=(6, 10),
        hold=(5, 15),
        frequency=(1, 2),
        a_day=AN_EXPIRY_DAY,
    ),
    *bands_together(win_rate=(0.75, 0.85), sharpe=(2.0, 3.5), drawdown=(0.08, 0.15)),
)
"""Every claim, primary first; the bands per class are those of expiration-pressure.md 6."""

HYPOTHESES: Final[tuple[Hypothesis, ...]] = (
    Hypothesis("edge", "the trades earn more than chance", ("p_value",)),
    Hypothesis(
        "pinning",
        "closes of expiry days lie nearer to strikes, or farther, than those of other days",
        ("pinning_p_value", "pinning_heaviest_p_value"),
    ),
    Hypothesis(
        "gamma-drift", "the last move goes where dealers' gamma sends it", ("gamma_drift_p_value",)
    ),
    Hypothesis("fridays", "expiration Fridays earn more", ("expiration_fridays_p_value",)),
)
"""What is tested together, for Holm's correction."""

DECLARATION: Final = Declaration(
    strategy=ExpirationPressureConfig.STRATEGY,
    null_hypothesis=NULL_HYPOTHESIS,
    nulls=(NullKind.MATCHED_ENTRIES, NullKind.DIRECTIONS, NullKind.SESSION_DIRECTIONS),
    gates=GATES,
    claims=CLAIMS,
    hypotheses=HYPOTHESES,
    controls=CONTROLS,
    classes=(PIN_RISK, PANIC, STEERING, OTHER),
)
