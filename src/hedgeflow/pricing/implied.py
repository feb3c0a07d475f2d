"""Implied volatility of one Black-76 option at full double accuracy, compiled.

The scheme of Jaeckel, "Let's be rational" (Wilmott, January 2015): work on the out-of-the-money
option, normalise by ``sqrt(forward*strike)``, start from an explicit guess and correct it by
Householder steps of fourth order on an objective that is nearly linear where it matters. Guess and
objective are ours:

* Guess. For small total volatility the normalised Black function is Bachelier's,
  ``b = s * (n(h) - h N(-h))``, whose inverse in h is a function of one variable, ``b/x``, fitted
  here to 3e-6. The relative distance to the Black solution is a smooth function of
  ``(h, t = s/2)`` that begins with t squared. For ``t`` above about 1, near the strike, the guess
  is ``-N^-1((b_max - b) / (2 cosh(x/2)))`` instead, which is exact at the strike.
* Objective. ``ln b(s) - ln b``, or ``ln(b_max - b(s)) - ln(b_max - b)`` where the option is worth a
  fair part of its bound. All its derivatives follow from the single ratio b/vega.

Convergence is a matter of two numbers, (x, s), whatever the option: the tests scan that plane, from
a price of 1e-300 to one that differs from its bound by 1e-13, and find the relative error of s at
the few ulp that the ratio b/vega itself has; three steps were the most needed there. A step smaller
than ``LAST_STEP_BELOW`` is the last one: its error is of the order of its fourth power.

Conditioning: no method can do better than the price allows. A relative rounding error ``e`` of the
price moves the volatility by ``e * price / (vega * vol)``; for an option in the money that
includes the intrinsic value, for one worth nearly its bound vega vanishes.
"""

from math import exp, inf, log, nan, sqrt

from numba import njit

from hedgeflow.pricing.normalised import INV_SQRT_TWO_PI, log_moneyness, value_over_vega

LN_SQRT_TWO_PI = 0.9189385332046727
LAST_STEP_BELOW = 1e-4
MAX_STEPS = 6
# At the strike b = s / sqrt(2*pi) * (1 - s*s/24 + ...): below this the rest is under one ulp.
LINEAR_BELOW = 1e-9
BACHELIER_NEAR_ABOVE = 0.05
WIDE_FROM_SHARE_OF_COMPLEMENT = 0.4


@njit(cache=True, error_model="numpy")
def implied_vol(right: int, price: float, forward: float, strike: float, years: float) -> float:
    """Volatility at which ``black_value`` equals an undiscounted price.

    NaN when the price is at or below intrinsic, at or above its bound (the forward for a call, the
    strike for a put), when ``years <= 0``, or when an argument is NaN or not positive.
    """
    if not (forward > 0.0 and strike > 0.0 and years > 0.0):
        return nan
    time_value = price - max(right * (forward - strike), 0.0)
    bound = min(forward, strike)
    scale = sqrt(forward * strike)
    if not (time_value / scale > 0.0 and time_value < bound):
        return nan
    x = abs(log_moneyness(forward, strike))
    return _total_vol(x, time_value / scale, (bound - time_value) / scale) / sqrt(years)


@njit(cache=True, error_model="numpy")
def _total_vol(x: float, value: float, complement: float) -> float:
    """``s = vol * sqrt(years)`` of a normalised value and of ``b_max`` minus it, both positive."""
    if x == 0.0 and value < LINEAR_BELOW:
        return value / INV_SQRT_TWO_PI
    log_value = log(value)
    s = _guess(x, value, log_value, complement)
    log_complement = 0.0
    complement_known = False
    for _ in range(MAX_STEPS):
        h = x / s
        t = 0.5 * s
        ratio = value_over_vega(h, t)
        if ratio > 0.0:
            target = log_value
        else:
            if not complement_known:
                log_complement = log(complement)
                complement_known = True
            target = log_complement
        error = log(abs(ratio)) - 0.5 * (h * h + t * t) - LN_SQRT_TWO_PI - target
        step = _householder_step(error * ratio, 1.0 / ratio, h, t, s)
        s += max(step, -0.75 * s)
        if abs(step) < LAST_STEP_BELOW * s:
            break
    return s


@njit(cache=True, error_model="numpy")
def _householder_step(newton: float, slope: float, h: float, t: float, s: float) -> float:
    """Householder's step of fourth order for the logarithm of b, or of its complement.

    With p the slope of the logarithm, ``a = b''/b'`` and ``c = b'''/b'``, the second and third
    derivatives in units of the first are ``a - p`` and ``c - 3ap + 2pp``.
    """
    h_over_s = h / s
    curvature = h * h_over_s - 0.5 * t
    third = curvature * curvature - 3.0 * h_over_s * h_over_s - 0.25
    second = curvature - slope
    third += slope * (2.0 * slope - 3.0 * curvature)
    newton = -newton
    return (
        newton
        * (1.0 + 0.5 * newton * second)
        / (1.0 + newton * (second + newton * third * (1.0 / 6.0)))
    )


@njit(cache=True, error_model="numpy")
def _guess(x: float, value: float, log_value: float, complement: float) -> float:
    h = _bachelier_h(x, value, log_value)
    t = 0.5 * (value / INV_SQRT_TWO_PI if h == 0.0 else x / h)
    # Rational fit of 1/G, where ln(s / s_bachelier) = G(h) t*t + O(t**4); the rest is fitted too.
    inverse = (5.998503 + h * (8.115218 + h * (8.815397 + h * (2.596675 + h * 1.152234)))) / (
        1.0 + h * (1.339434 + h * 0.575217)
    )
    squared = t * t
    t *= 1.0 + squared / max(inverse - squared * (1.5 + 0.6 / (1.0 + h)), 1.0)
    if t < 1.0 or value < WIDE_FROM_SHARE_OF_COMPLEMENT * complement:
        return 2.0 * t
    # Near the strike and wide: N(-t) (1 + small) is the complement over 2 cosh(x/2).
    edge = _normal_upper_quantile(complement / (exp(0.5 * x) + exp(-0.5 * x)))
    return max(2.0 * t, edge + sqrt(max(edge * edge - 0.5 * x * x, 0.0)))


@njit(cache=True, error_model="numpy")
def _bachelier_h(x: float, value: float, log_value: float) -> float:
    """The h at which ``n(h)/h - N(-h)`` is ``value / x``, to 5e-6, for h up to 39."""
    ratio = value / x if x > 0.0 else inf
    if ratio > BACHELIER_NEAR_ABOVE:
        y = INV_SQRT_TWO_PI / (ratio + 0.5)
        return (
            y
            * (
                0.999995533
                + y * (-1.52019051 + y * (0.236911519 + y * (0.0529939108 + y * 0.163216944)))
            )
            / (1.0 + y * (-1.52061722 + y * (-0.255727282 + y * 0.763533562)))
        )
    r = sqrt(log(x) - log_value)
    return (
        -0.591427823 + r * (1.91076938 + r * (-1.41130971 + r * (0.41306792 + r * 0.138347294)))
    ) / (1.0 + r * (-0.467863937 + r * (0.298105542 + r * 0.0977742398)))


@njit(cache=True, error_model="numpy")
def _normal_upper_quantile(p: float) -> float:
    """Quantile z with N(-z) = p for p in (0, 1/2], to 5e-4 (Abramowitz and Stegun 26.2.23)."""
    r = sqrt(-2.0 * log(p))
    return r - (2.515517 + r * (0.802853 + r * 0.010328)) / (
        1.0 + r * (1.432788 + r * (0.189269 + r * 0.001308))
    )
