"""SPX on its day of expiry: profiles of a late feed, and the index's bars."""

from __future__ import annotations

from datetime import UTC, datetime
from math import log

import numpy as np
import polars as pl
import pytest

from hedgeflow.market import Catalog, DataError, TapeKind
from hedgeflow.signals.dealer_gamma import (
    GammaConvention,
    dealer_contracts,
    dollar_gamma,
    option_gamma,
)
from hedgeflow.sources import import_spx_chains

PROFILES = "gex_profile_15min.parquet"
BARS = "spx_1m.parquet"
MINUTES_OF_A_YEAR = 365 * 24 * 60
MULTIPLIER = 100.0


def profile(**changed):
    rows = {
        "ts_et": ["2026-08-18 14:00:00", "2026-08-18 16:00:00"],
        "date": ["2026-08-18"] * 2,
        "strike": [7_700.0, 7_705.0],
        "spot": [7_701.14, 7_698.79],
        "coi": [515.0, 174.0],
        "poi": [3_928.0, 1_159.0],
        "cvol": [52_556.0, 62_130.0],
        "pvol": [114_974.0, 62_296.0],
        "cg": [9.5e8, 3.2e8],
    }
    return pl.DataFrame(rows | changed)


@pytest.fixture
def imported(catalog, tmp_path):
    def do(frame):
        path = tmp_path / "profile.parquet"
        frame.write_parquet(path)
        (report,) = import_spx_chains([path], catalog, accept_rejects=True)
        return report

    return do


def test_a_profile_is_of_a_quarter_of_an_hour_before_and_known_a_minute_after(imported, catalog):
    tape = catalog.read(imported(profile()).key)
    assert tape["ts"][0] == datetime(2026, 8, 18, 17, 45, tzinfo=UTC)
    assert tape["known_at"][0] == datetime(2026, 8, 18, 18, 1, tzinfo=UTC)
    values = ("contract", "open_interest", "volume", "iv", "price", "underlying_price")
    assert tape.head(2).select(values).rows() == [
        ("SPXW  260818C07700000", 515.0, 52_556.0, None, None, 7_701.14),
        ("SPXW  260818P07700000", 3_928.0, 114_974.0, None, None, 7_701.14),
    ]


def test_its_contracts_end_at_the_close_of_its_date(imported, catalog):
    imported(profile())
    terms = catalog.contracts("cboe", "SPX")
    assert set(terms["expiry"]) == {datetime(2026, 8, 18, 20, tzinfo=UTC)}
    assert set(terms["multiplier"]) == {100.0}
    assert set(terms["style"]) == {"european"}


def test_a_profile_after_the_close_is_rejected(imported):
    report = imported(profile(ts_et=["2026-08-18 14:00:00", "2026-08-18 16:20:00"]))
    assert (report.read, report.kept, report.rejected) == (4, 2, {"AFTER_EXPIRY": 2})


@pytest.mark.parametrize(
    ("changed", "rejected"),
    [
        ({"strike": [0.0, 7_705.0]}, {"UNKNOWN_CONTRACT": 2}),
        ({"strike": [7_700.00005, 7_705.0]}, {"UNKNOWN_CONTRACT": 2}),
        ({"coi": [-1.0, 174.0]}, {"NEGATIVE_VOLUME": 1}),
        ({"spot": [0.0, 7_698.79]}, {"NON_POSITIVE_PRICE": 2}),
    ],
)
def test_a_row_that_cannot_be_is_rejected(imported, changed, rejected):
    assert imported(profile(**changed)).rejected == rejected


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (profile().drop("coi"), "'coi' is missing: this is no file of SPX profiles or bars"),
        (profile(date=["never"] * 2), "column 'date', row 0: 'never' is no date"),
        (profile(coi=["many", "few"]), "column 'coi', row 0: 'many' is no number"),
    ],
)
def test_a_file_that_is_not_what_it_must_be_is_refused(imported, catalog, frame, message):
    with pytest.raises(DataError, match=message):
        imported(frame)
    assert catalog.imports() == []


# --- the recorded files ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(market_data, tmp_path_factory):
    catalog = Catalog.create_or_open(tmp_path_factory.mktemp("spx") / "catalog")
    files = [market_data / "spx-0dte" / name for name in (PROFILES, BARS)]
    return catalog, import_spx_chains(files, catalog, accept_rejects=True)


@pytest.fixture(scope="module")
def raw(market_data):
    """Return the profiles of living options as they are in their file."""
    profiles = pl.read_parquet(market_data / "spx-0dte" / PROFILES)
    return profiles.filter(pl.col("date") != "2026-08-13")


def test_every_row_of_the_recorded_files_is_accounted_for(recorded):
    _, reports = recorded
    assert [(each.key.kind, each.read, each.kept, dict(each.rejected)) for each in reports] == [
        (TapeKind.OPTION_SNAPSHOTS, 5_060, 4_936, {"AFTER_EXPIRY": 124}),
        (TapeKind.BARS, 9_351, 9_351, {}),
    ]


@pytest.mark.parametrize(("right", "side"), [("C", "c"), ("P", "p")])
def test_the_recorded_profiles_stand_in_the_catalog_as_in_the_file(recorded, raw, right, side):
    catalog, (report, _) = recorded
    tape = catalog.read(report.key).join(catalog.contracts("cboe", "SPX"), on="contract")
    files = raw.with_columns(
        pl.col("ts_et").dt.convert_time_zone("UTC").dt.cast_time_unit("ns").alias("stamp"),
        (pl.col("date") + " 20:00").str.to_datetime(time_zone="UTC", time_unit="ns").alias("ends"),
    )
    stamped = tape.with_columns(
        stamp=(pl.col("known_at") - pl.duration(minutes=1)).dt.cast_time_unit("ns")
    )
    both = stamped.filter(pl.col("right") == right).join(files, on=["stamp", "strike"])
    assert both.height == raw.height
    assert both.select(
        (pl.col("open_interest") == pl.col(f"{side}oi")).all()
        & (pl.col("volume") == pl.col(f"{side}vol")).all()
        & (pl.col("underlying_price") == pl.col("spot")).all()
        & (pl.col("expiry") == pl.col("ends")).all()
    ).item()


def test_the_index_in_a_profile_is_that_of_the_bars_at_its_stamp_and_no_later(recorded):
    """That the feed is late is read off the bars: at no other delay do they agree as well."""
    catalog, (profiles, bars) = recorded
    spots = catalog.read(profiles.key).unique("ts").select("ts", "underlying_price")
    levels = catalog.read(bars.key).select("known_at", "close")

    def typical_error(minutes):
        moved = spots.with_columns(
            known_at=pl.col("ts") + pl.duration(minutes=minutes)
        ).with_columns(pl.col("known_at").dt.cast_time_unit("ns"))
        both = moved.join(levels, on="known_at")
        assert both.height >= 38
        return both.select((pl.col("underlying_price") - pl.col("close")).abs().mean()).item()

    errors = {minutes: typical_error(minutes) for minutes in (-5, 0, 5, 15)}
    assert min(errors, key=errors.__getitem__) == 0
    assert errors[0] < 1.0 < 3 * errors[0] < errors[15]


def test_the_recorded_gammas_are_dollars_over_one_percent_calls_plus_puts_minus(raw):
    """Their formula, gamma x open interest x 100 x spot² x 1 %, gives call and put one gamma."""
    both = with_gammas(raw).filter((pl.col("coi") > 20) & (pl.col("poi") > 20))
    apart = both.select((pl.col("of_call") - pl.col("of_put")).abs()).to_series()
    assert both.height > 1_500
    assert apart.quantile(0.95) < 1e-6
    assert apart.max() < 2.01e-4  # the feed rounds gamma to four digits


def test_our_gamma_has_the_size_and_shape_of_the_recorded_ones(raw):
    """The volatility that one strike below the index implies gives the gamma of one above."""
    errors, volatilities = [], []
    for _, each in with_gammas(raw).group_by("ts_et"):
        stamp, spot = each["ts_et"][0], each["spot"][0]
        left = (stamp.replace(hour=16, minute=0) - stamp).total_seconds() / 60 + 15
        sides = (
            each.sort("strike")
            .with_columns(over=pl.col("strike") > spot)
            .partition_by("over", maintain_order=True)
        )
        below, above = sides[0].row(-1, named=True), sides[1].row(0, named=True)
        sigma = volatility_of(below["of_put"], spot, below["strike"], left)
        ours = dollar_gamma(
            option_gamma(spot, above["strike"], sigma, left, MINUTES_OF_A_YEAR), spot
        )
        errors.append(abs(ours * above["poi"] * MULTIPLIER / -above["pg"] - 1))
        volatilities.append(sigma)
    assert len(errors) == 40
    assert np.median(errors) < 0.05
    assert 0.08 < min(volatilities) < max(volatilities) < 0.25


def test_our_sign_of_dealers_gamma_under_the_convention_is_theirs(raw):
    signs = [
        (
            np.sign(dealer_contracts(GammaConvention.LONG_CALLS_SHORT_PUTS, calls, puts)),
            np.sign(total),
        )
        for calls, puts, total in raw.select("coi", "poi", "total").iter_rows()
        if abs(calls - puts) > 0.01 * (calls + puts)
    ]
    assert len(signs) > 2_400
    assert all(ours == theirs for ours, theirs in signs)


def with_gammas(raw):
    unit = MULTIPLIER * pl.col("spot") ** 2 * 0.01
    return raw.with_columns(
        of_call=pl.col("cg") / (pl.col("coi") * unit), of_put=-pl.col("pg") / (pl.col("poi") * unit)
    )


def volatility_of(gamma, spot, strike, left):
    """Return the lower volatility that has this gamma: Newton on its logarithm, from the money."""
    years = left / MINUTES_OF_A_YEAR
    spread = 0.39894 / (spot * gamma)
    for _ in range(50):
        upper = log(spot / strike) / spread + spread / 2
        spread = 0.39894 * np.exp(-upper * upper / 2) / (spot * gamma)
    return spread / years**0.5
