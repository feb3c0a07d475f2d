import math

import numpy as np
import pytest
from scipy.special import erfcx as scipy_erfcx

from hedgeflow.pricing.normalised import erfcx, log_moneyness, value_over_vega

# Y(t - h) - Y(-t - h) with Y = N/n, and minus Y(-t - h) - Y(h - t) where the complement is
# returned: (h, t, value), mpmath with 60 digits.
RATIOS = [
    (0.0, 1e-09, 2e-09),
    (0.001, 1e-06, 1.9974953704733867e-06),
    (0.5, 0.0001, 0.00011236355462993335),
    (3.0, 0.0001, 1.7245820785521104e-05),
    (30.0, 0.01, 2.2148558943689068e-05),
    (38.0, 0.02, 2.7643486756100242e-05),
    (6.0, 0.16, 0.008239846368483511),
    (0.1, 0.249, 0.4489186990910357),
    (0.3, 0.2, 0.282897943165044),
    (1.0, 0.24, 0.16702504373092597),
    (0.3, 0.26, 0.3705976470978495),
    (0.0, 0.3, -2.0036748019843116),
    (0.25, 0.26, -2.114152385682313),
    (2.0, 0.3, 0.0952711482578627),
    (12.0, 0.5, 0.006815855712432145),
    (0.5, 2.0, -0.870080749547757),
    (1.0, 1.0, 0.8319449080274458),
    (3.0, 2.0, 0.4628714377034827),
    (2.0, 3.0, -0.8484876471341143),
    (0.0, 5.0, -0.3856162094306315),
    (5.0, 8.0, -0.3810660597263518),
    (20.0, 1.0, 0.004975185943398251),
    (35.0, 7.0, 0.011872855752968784),
]


def test_erfcx_agrees_with_scipy():
    z = np.concatenate([[0.0], np.geomspace(1e-8, 1e8, 4001)])
    found = np.array([erfcx(value) for value in z])
    np.testing.assert_allclose(found, scipy_erfcx(z), rtol=1.5e-15)


@pytest.mark.parametrize(("h", "t", "expected"), RATIOS)
def test_the_ratio_is_exact_for_a_total_volatility_a_few_ulp_away(h, t, expected):
    error = value_over_vega(h, t) / expected - 1.0
    error_of_s = error * abs(expected) / (2.0 * t)
    assert abs(error_of_s) < 2e-15


@pytest.mark.parametrize(
    ("h", "t"), [(0.1, 0.25), (2.0, 0.25), (3.9, 0.25), (4.0, 0.25), (8.0, 0.125)]
)
def test_the_ratio_has_no_step_where_the_formulas_meet(h, t):
    def b_over_vega(t):
        ratio = value_over_vega(h, t)
        bound = math.exp(-h * t + 0.5 * (h * h + t * t)) * math.sqrt(2.0 * math.pi)
        return ratio if ratio > 0.0 else ratio + bound

    below, above = b_over_vega(t * (1.0 - 1e-13)), b_over_vega(t)
    assert above == pytest.approx(below, rel=3e-12, abs=0.0)


def test_log_moneyness_keeps_its_digits_next_to_the_strike():
    assert log_moneyness(100.0 + 2.0**-40, 100.0) == pytest.approx(
        2.0**-40 / 100.0, rel=1e-14, abs=0.0
    )
    assert log_moneyness(1.0, 1e6) == -math.log(1e6)
