"""What is claimed for the volume shock, to be tested and never assumed."""

from __future__ import annotations

from hedgeflow.strategies.claim_bands import OF_CLASS, bands_together, class_bands
from hedgeflow.strategies.claims import (
    OF_STRATEGY,
    ByConstruction,
    Claim,
    Declaration,
    Gate,
    Hypothesis,
    NullKind,
    primary,
)
from hedgeflow.strategies.verdict_gates import BEATS_CHANCE, OF_SOURCE, verdict_gates
from hedgeflow.strategies.volume_shock.controls import CONTROLS

NULL_HYPOTHESIS = "Volume spikes create no predictable hedging flow."

SWEEP = "INSTITUTIONAL_SWEEP"
EMERGENCY = "GAMMA_EMERGENCY"

_MODELLED = ByConstruction(
    "response.model",
    ("tiers", "calibrated"),
    "the model computes the response time from the exposure alone, so the two correlate whatever "
    "dealers do; only an observed response is a test",
)

GATES: tuple[Gate, ...] = (
    *verdict_gates(win_rate=0.80, sharpe=2.5),
    Gate(
        "delta-flow",
        "R² above 0.70 of predicted hedge against observed signed flow",
        "r_squared",
        ">",
        0.70,
        50,
        OF_SOURCE,
    ),
)
"""The verdict's gates: VALIDATED only when every one holds by its confidence bound."""

PRIMARY: tuple[Claim, ...] = (
    primary("sample", "at least 100 trades", "trades", ">=", 100, 0),
    primary("win-rate", "a win rate of at least 80 % over 100 trades", "win_rate", ">=", 0.80, 100),
    primary(
        "sharpe", "an annualised Sharpe ratio of at least 2.5", "sharpe_annualised", ">=", 2.5, 100
    ),
    primary("significance", BEATS_CHANCE, "p_value", "<", 0.01, 100),
    primary(
        "points",
        "an average of at least 12 points a trade, net of costs",
        "expectancy_points",
        ">=",
        12.0,
        100,
    ),
    primary("drawdown", "a drawdown of at most 12 %", "drawdown", "<=", 0.12, 100),
)

_SECONDARY: tuple[Claim, ...] = (
    Claim(
        "detection-to-execution",
        "under 5 minutes from detection to execution (no older alert is traded, so this checks the "
        "rule)",
        "detection_to_entry_minutes",
        "<",
        5.0,
        0,
        OF_CLASS,
    ),
    Claim(
        "delta-flow",
        "R² above 0.70 of predicted hedge against observed signed flow",
        "r_squared",
        ">",
        0.70,
        30,
        OF_STRATEGY,
    ),
    Claim(
        "response-time",
        "a rank correlation below −0.60 of exposure and observed response time",
        "response_rank_correlation",
        "<",
        -0.60,
        30,
        OF_STRATEGY,
    ),
    Claim(
        "response-time-model",
        "a correlation below −0.60 of exposure and the model's own response time",
        "modelled_response_correlation",
        "<",
        -0.60,
        30,
        "the source's secondary hypothesis 2, as its own code computes it",
        by_construction=_MODELLED,
    ),
    Claim(
        "flow-types-win-rate",
        "sweeps and emergencies differ in win rate (p below 0.01, Holm)",
        "flow_types_win_rate_p_value",
        "<",
        0.01,
        50,
        OF_STRATEGY,
        group="flow-types",
    ),
    Claim(
        "flow-types-response",
        "sweeps and emergencies differ in response time (p below 0.01, Holm)",
        "flow_types_response_p_value",
        "<",
        0.01,
        50,
        OF_STRATEGY,
        group="flow-types",
    ),
    Claim(
        "flow-types-move",
        "sweeps and emergencies differ in the size of the move (p below 0.01, Holm)",
        "flow_types_move_p_value",
        "<",
        0.01,
        50,
        OF_STRATEGY,
        group="flow-types",
    ),
    Claim(
        "acceleration",
        "the end of the hedge leaves a price acceleration that placebo windows do not have "
        "(two-sided, p below 0.01)",
        "acceleration_p_value",
        "<",
        0.01,
        50,
        OF_STRATEGY,
    ),
    Claim(
        "price-response",
        "over the predicted response the price moves in the predicted direction, beyond placebo "
        "windows (p below 0.01)",
        "price_response_p_value",
        "<",
        0.01,
        50,
        "what a hedge does to a price, where only bars are known",
    ),
    Claim(
        "latency",
        "wins fall with the time from alert to fill (trend over < 2, 2–5, ≥ 5 min, p below 0.01)",
        "latency_trend_p_value",
        "<",
        0.01,
        50,
        OF_STRATEGY,
    ),
    Claim(
        "accuracy",
        "more than 85 % of flow classes right, where the truth is known",
        "flow_class_accuracy",
        ">",
        0.85,
        50,
        OF_STRATEGY,
    ),
)


CLAIMS: tuple[Claim, ...] = (
    *PRIMARY,
    *_SECONDARY,
    *class_bands(
        "sweep",
        SWEEP,
        win_rate=(0.75, 0.85),
        win=(8, 15),
        loss=(8, 12),
        hold=(8, 15),
        frequency=(3, 5),
    ),
    *class_bands(
        "emergency",
        EMERGENCY,
        win_rate=(0.85, 0.95),
        win=(15, 30),
        loss=(6, 8),
        hold=(3, 8),
        frequency=(1, 3),
    ),
    *bands_together(win_rate=(0.80, 0.90), sharpe=(2.5, 4.0), drawdown=(0.05, 0.12)),
)
"""Every claim, primary first; the bands per class are those of volume-shock.md 9."""

HYPOTHESES: tuple[Hypothesis, ...] = (
    Hypothesis("edge", "the trades earn more than chance", ("p_value",)),
    Hypothesis("delta-flow", "predicted hedges explain observed flow", ("flow_slope_p_value",)),
    Hypothesis(
        "response-time",
        "larger exposures are hedged faster",
        ("response_rank_p_value",),
    ),
    Hypothesis(
        "flow-types",
        "sweeps and emergencies differ",
        (
            "flow_types_win_rate_raw_p_value",
            "flow_types_response_raw_p_value",
            "flow_types_move_raw_p_value",
        ),
    ),
    Hypothesis("acceleration", "hedges end in a price acceleration", ("acceleration_p_value",)),
    Hypothesis("latency", "wins fall with latency", ("latency_trend_p_value",)),
)
"""What is tested together, for Holm's correction (evidence.md 1 and 2)."""

DECLARATION = Declaration(
    strategy="volume-shock",
    null_hypothesis=NULL_HYPOTHESIS,
    nulls=(NullKind.MATCHED_ENTRIES, NullKind.DIRECTIONS, NullKind.SESSION_DIRECTIONS),
    gates=GATES,
    claims=CLAIMS,
    hypotheses=HYPOTHESES,
    controls=CONTROLS,
    classes=(SWEEP, EMERGENCY),
)
