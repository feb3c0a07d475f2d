"""Figures are written with units, true minus signs and separated thousands."""

from __future__ import annotations

import pytest

from hedgeflow.evidence.report.words import (
    between,
    decimal,
    estimate,
    figure,
    label,
    money,
    probability,
    prose,
    significant,
    threshold,
)

NARROW = "\u00a0"


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [(1234.5, 1, "1,234.5"), (-1234.5, 1, "−1,234.5"), (-0.001, 2, "0.00"), (7, 0, "7")],
)
def test_numbers_have_separated_thousands_and_a_true_minus(value, digits, words):
    assert decimal(value, digits) == words


@pytest.mark.parametrize(
    ("statistic", "value", "words"),
    [
        ("win_rate", 0.8377, "83.8 %"),
        ("barrier_implied_win_rate", 0.41, "41.0 %"),
        ("expectancy_points", -1.5, "−1.50 points"),
        ("expectancy_bps", 1.2, "1.20 bps"),
        ("hold_minutes", 7.7, "7.70 min"),
        ("expectancy_usd", 12.1, "12.10 USD"),
        ("trades", 1540.0, "1,540"),
        ("sharpe_annualised", 2.5, "2.50"),
    ],
)
def test_a_statistic_s_name_tells_its_unit(statistic, value, words):
    assert figure(statistic, value).replace(NARROW, " ") == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.21, "0.21"), (0.00101, "0.001"), (2e-18, "under 1e−17"), (0.0, "0")]
)
def test_p_values_have_two_digits(value, words):
    assert probability(value).replace(NARROW, " ") == words


def test_large_amounts_drop_their_cents():
    assert money(-5233.02) == f"−5,233{NARROW}USD"
    assert money(33.98) == f"33.98{NARROW}USD"


def test_significant_digits_never_become_powers_of_ten():
    assert significant(315.24) == "315.2"
    assert significant(1234567.0) == "1,234,567"
    assert significant(0.000123456) == "0.0001235"


def test_a_threshold_is_said_in_words():
    assert threshold("win_rate", ">=", 0.8, None) == f"at least 80{NARROW}%"
    assert threshold("average_win_points", "within", 8, 15) == f"8 to 15{NARROW}points"
    assert threshold("response_rank_correlation", "<", -0.6, None) == "below −0.6"


def test_a_unit_is_written_once_between_bounds():
    assert between(f"1.2{NARROW}bps", f"3.4{NARROW}bps") == f"1.2 to 3.4{NARROW}bps"
    assert between("1.2", "3.4") == "1.2 to 3.4"
    assert between(f"999.00{NARROW}USD", f"2,000{NARROW}USD") == f"999.00 to 2,000{NARROW}USD"


def test_a_missing_estimate_says_why():
    shown = estimate({"value": None, "reason": "no trades"}, "win_rate")
    assert shown.value == ""
    assert shown.text == "not computable: no trades"


def test_codes_become_words():
    assert label("EXIT_TARGET_HIT") == "Target hit"
    assert label("INSTITUTIONAL_SWEEP") == "Institutional sweep"


def test_only_signs_of_numbers_become_minus_signs():
    text = "BTC-27DEC24 on 2024-01-02 lost -3.5 (-1 to 2)"
    assert prose(text) == "BTC-27DEC24 on 2024-01-02 lost −3.5 (−1 to 2)"
