"""Values, greeks and implied volatility of European and inverse options, compiled."""

from hedgeflow.pricing.black import delta, gamma, implied_volatility, value, vega
from hedgeflow.pricing.errors import PricingInputError
from hedgeflow.pricing.implied import implied_vol
from hedgeflow.pricing.inverse import (
    inverse_implied_volatility,
    inverse_value,
    premium_adjusted_delta,
)
from hedgeflow.pricing.kernels import (
    SOURCE_LAST,
    SOURCE_NONE,
    SOURCE_PRINT,
    SOURCE_SOLVED,
    black_delta,
    black_gamma,
    black_value,
    black_vega,
    moneyness_delta,
    norm_cdf,
    print_delta,
)

__all__ = [
    "SOURCE_LAST",
    "SOURCE_NONE",
    "SOURCE_PRINT",
    "SOURCE_SOLVED",
    "PricingInputError",
    "black_delta",
    "black_gamma",
    "black_value",
    "black_vega",
    "delta",
    "gamma",
    "implied_vol",
    "implied_volatility",
    "inverse_implied_volatility",
    "inverse_value",
    "moneyness_delta",
    "norm_cdf",
    "premium_adjusted_delta",
    "print_delta",
    "value",
    "vega",
]
