"""The normalised Black function divided by its vega, accurate to a few units in the last place.

With ``x = abs(ln(F/K))`` and ``s = vol * sqrt(years)`` the out-of-the-money option is worth
``sqrt(F*K) * b(x, s)``, ``b = exp(-x/2) N(t - h) - exp(x/2) N(-t - h)``, ``h = x/s``, ``t = s/2``
(Jaeckel, "Let's be rational", Wilmott, January 2015). Its vega is
``db/ds = exp(-(h*h + t*t)/2) / sqrt(2*pi)``, so that ``b / vega`` needs no exponential and never
underflows: values and implied volatilities are both built on that ratio.
"""

from math import log, log1p, pi, sqrt

from numba import njit

INV_SQRT_TWO_PI = 1.0 / sqrt(2.0 * pi)
SQRT_HALF = sqrt(0.5)
SQRT_HALF_PI = sqrt(0.5 * pi)

# Below these the difference of two scaled complementary error functions would cancel, and the
# odd Taylor series in t converges within eight terms.
SERIES_T_BELOW = 0.25
SERIES_HT_BELOW = 1.0
SERIES_LAST_ORDER = 17


@njit(cache=True, error_model="numpy")
def erfcx(z: float) -> float:
    """Scaled complementary error function ``exp(z*z) * erfc(z)`` for ``z >= 0``.

    The form of Shepherd and Laframboise (Math. Comp. 36, 1981): ``(1 + 2z) * erfcx(z)`` is smooth
    in ``q = (z - k)/(z + k)`` on [-1, 1). The coefficients are its Chebyshev expansion for
    k = 3.5, cut where the terms fall below 3e-17 and rewritten in powers of q. Relative error
    below 7e-16, measured against 60-digit arithmetic.
    """
    q = (z - 3.5) / (z + 3.5)
    r = q * q
    even = -9.029888342508032e-11
    even = even * r + 6.021972015439118e-10
    even = even * r - 7.57017975707362e-10
    even = even * r - 6.466973089768061e-09
    even = even * r - 4.5143146280953446e-08
    even = even * r + 2.328626178388271e-06
    even = even * r - 4.278228563287069e-05
    even = even * r + 0.000564384418191686
    even = even * r - 0.004215019906373612
    even = even * r - 0.04882332582812556
    even = even * r - 0.11508959816017852
    even = even * r - 0.010555596332218569
    even = even * r + 1.2423492448711544
    odd = -1.1656687889203665e-09
    odd = odd * r + 1.3624442778701048e-08
    odd = odd * r - 9.64004253144383e-08
    odd = odd * r + 6.014823849950426e-07
    odd = odd * r - 3.814012584490695e-06
    odd = odd * r + 2.4260300984917994e-05
    odd = odd * r - 0.00012151212091980101
    odd = odd * r - 0.0003022679534333239
    odd = odd * r + 0.019099330953271165
    odd = odd * r + 0.08798315382403678
    odd = odd * r + 0.09751909515328706
    odd = odd * r - 0.1400091801376197
    return (even + q * odd) / (1.0 + 2.0 * z)


@njit(cache=True, error_model="numpy")
def value_over_vega(h: float, t: float) -> float:
    """``b / vega`` where positive, else ``-(b_max - b) / vega`` with ``b_max = exp(-x/2)``.

    The complement is returned where ``h < t`` and ``t >= 0.25`` (the option is worth a fair part
    of its upper bound), because there it is a sum of positive terms. Elsewhere b itself is the
    difference ``Y(t - h) - Y(-t - h)``, ``Y(z) = N(z)/n(z)``.

    Why a few units in the last place: the value returned is exact for some ``s*(1 + e)`` with
    abs(e) below 2e-15, checked by the tests. The series starts from ``Y'(-h) = 1 - h*Y(-h)``,
    which loses a factor h*h, and b is h*h times as sensitive to s as s itself; the difference
    loses a factor 1/t, at most 4, or 2/x, at most 1.

    Parameters
    ----------
    h, t
        ``x/s`` in [0, 1e150) and ``s/2`` > 0.
    """
    if t < SERIES_T_BELOW and h * t < SERIES_HT_BELOW:
        return _series_in_t(h, t)
    near = abs(t - h) * SQRT_HALF
    far = (t + h) * SQRT_HALF
    if h >= t:
        return SQRT_HALF_PI * (erfcx(near) - erfcx(far))
    return -SQRT_HALF_PI * (erfcx(near) + erfcx(far))


@njit(cache=True, error_model="numpy")
def log_moneyness(forward: float, strike: float) -> float:
    """``ln(forward/strike)``, to full relative accuracy also when the two are nearly equal."""
    ratio = forward / strike
    if 0.5 < ratio < 2.0:
        return log1p((forward - strike) / strike)
    return log(ratio)


@njit(cache=True, error_model="numpy")
def _series_in_t(h: float, t: float) -> float:
    """``Y(t - h) - Y(-t - h)`` as twice the odd Taylor series of Y about ``-h``.

    From ``Y' = 1 + z*Y`` the derivatives two apart satisfy
    ``Y[n+2] = (z*z + 2n + 1) Y[n] - n (n-1) Y[n-2]``; the loop carries ``c[n] = Y[n] / n!``.
    """
    z2 = h * h
    t2 = t * t
    previous = 1.0 - h * SQRT_HALF_PI * erfcx(h * SQRT_HALF)
    current = ((z2 + 3.0) * previous - 1.0) / 6.0
    total = previous + current * t2
    power = t2
    for n in range(3, SERIES_LAST_ORDER, 2):
        following = ((z2 + (2 * n + 1)) * current - previous) / ((n + 1.0) * (n + 2.0))
        power *= t2
        total += following * power
        previous = current
        current = following
    return 2.0 * t * total
