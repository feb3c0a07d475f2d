"""Division: the nearest number, which polars' division by a constant is not."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl
import pytest

from hedgeflow.sources.division import divided, quotient

WRITTEN = [*range(1, 5000), 29_000, 37_027_500, 123_456_789]


@pytest.mark.parametrize("divisor", [100.0, 10_000.0, 1e9])
def test_a_quotient_is_the_float_nearest_to_the_fraction(divisor):
    frame = pl.DataFrame({"written": WRITTEN})
    found = frame.select(quotient(pl.col("written"), divisor))["written"].to_list()
    assert found == [float(Fraction(each) / Fraction(divisor)) for each in WRITTEN]
    assert divided(frame["written"], divisor).to_list() == found


def test_a_constant_column_divides_as_exactly_as_a_number():
    frame = pl.DataFrame({"written": WRITTEN}).with_columns(pl.lit(10_000.0).alias("scale"))
    found = frame.select(quotient(pl.col("written"), pl.col("scale")))["written"].to_list()
    assert found == [each / 10_000.0 for each in WRITTEN]


def test_nothing_divided_is_nothing_and_a_zero_divides_as_ieee_says():
    frame = pl.DataFrame({"above": [1.0, None, 1.0, 0.0], "below": [4.0, 2.0, None, 0.0]})
    found = frame.select(quotient(pl.col("above"), pl.col("below")))["above"].to_list()
    assert found[:3] == [0.25, None, None]
    assert math.isnan(found[3])
    assert divided(pl.Series("above", [1.0]), 0.0).to_list() == [math.inf]


def test_no_rows_and_a_column_of_nulls_stay_what_they_are():
    assert divided(pl.Series("iv", [], dtype=pl.Float64), 100.0).to_list() == []
    assert divided(pl.Series("iv", [None, None]), 100.0).to_list() == [None, None]
    empty = pl.DataFrame(schema={"iv": pl.Float64})
    assert empty.select(quotient(pl.col("iv"), 100.0)).schema == {"iv": pl.Float64}
