"""A claim's figures against each other: the source's own claim first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.evidence.rates import wilson_bounds, wins_needed
from hedgeflow.evidence.significance import power_of_rate
from hedgeflow.evidence.stated_claim import StatedClaim, read_claim, trades_for_bound

SOURCE = StatedClaim(
    win_rate=0.837,
    win_rate_unit=0.001,
    average_win=15.0,
    average_loss=8.0,
    trades_per_session=5.0,
    sharpe=4.0,
    trades=154,
    wins=129,
)


# Flaws C7: 83.7 %, +15/-8, 5 a day -> 47; 81.7 %, +11.4/-10, 4 -> 29; 92.3 %, +21.7/-7, 2 -> 57.
@pytest.mark.parametrize(
    ("rate", "win", "loss", "a_day", "sharpe"),
    [(0.837, 15.0, 8.0, 5.0, 47), (0.817, 11.4, 10.0, 4.0, 29), (0.923, 21.7, 7.0, 2.0, 57)],
)
def test_the_claimed_trades_imply_a_sharpe_ratio_of_47_29_and_57(rate, win, loss, a_day, sharpe):
    claim = StatedClaim(win_rate=rate, average_win=win, average_loss=loss, trades_per_session=a_day)
    assert round(read_claim(claim).implied.sharpe) == sharpe


# Flaws C7: the claimed 2.5 to 4.0 needs 53 to 56 %.
@pytest.mark.parametrize(("sharpe", "rate"), [(2.5, 0.53), (4.0, 0.56)])
def test_a_sharpe_ratio_of_2_5_to_4_takes_53_to_56_per_cent_at_an_even_payoff(sharpe, rate):
    claim = StatedClaim(average_win=1.0, average_loss=1.0, trades_per_session=5.0, sharpe=sharpe)
    assert read_claim(claim).implied.win_rate == pytest.approx(rate, abs=0.006)


def test_the_sources_own_claim_contradicts_itself():
    found = read_claim(SOURCE)
    assert not found.coherent
    (sharpe, counts) = found.checks
    assert sharpe.status == "FAILED"
    assert "Sharpe 4 contradicts the 47.0" in sharpe.sentence
    assert counts.status == "HOLDS"  # 129 of 154 is 83.77 %, printed 83.7
    assert read_claim(replace(SOURCE, sharpe=45.0)).coherent


# Flaws C5: 129 of 154 has 77.1 to 88.8 %; a lower bound of 80 % takes 133.
def test_129_of_154_does_not_show_80_per_cent():
    counts = read_claim(SOURCE).counts
    assert counts.wilson == pytest.approx((0.771, 0.888), abs=5e-4)
    assert counts.wins_needed == 133
    assert not counts.reaches
    assert read_claim(replace(SOURCE, wins=133)).counts.reaches


@pytest.mark.parametrize(("trades", "wins"), [(50, 46), (100, 88), (154, 133)])
def test_wins_needed_are_those_of_the_specification(trades, wins):
    assert read_claim(StatedClaim(trades=trades, wins=0)).counts.wins_needed == wins


def test_the_barriers_give_a_price_without_drift_8_of_23():
    found = read_claim(StatedClaim(target=15.0, stop=8.0, win_rate=0.5))
    assert found.barrier_implied == pytest.approx(8.0 / 23.0)
    assert found.break_even == found.barrier_implied
    assert found.payoff == pytest.approx(15.0 / 8.0)
    assert found.null_rate == found.barrier_implied


def test_the_payoff_that_is_stated_wins_over_the_barriers():
    claim = StatedClaim(target=15.0, stop=8.0, average_win=10.0, average_loss=10.0, win_rate=0.6)
    found = read_claim(claim)
    assert (found.break_even, found.null_rate) == (0.5, pytest.approx(8.0 / 23.0))


@pytest.mark.parametrize("missing", ["win_rate", "average_win", "trades_per_session", "sharpe"])
def test_each_figure_follows_from_the_other_three(missing):
    full = replace(SOURCE, sharpe=read_claim(SOURCE).implied.sharpe, trades=None, wins=None)
    found = read_claim(full)
    assert found.coherent
    implied = {
        "win_rate": (found.implied.win_rate, 0.837),
        "average_win": (found.implied.payoff, 15.0 / 8.0),
        "trades_per_session": (found.implied.trades_per_session, 5.0),
        "sharpe": (found.implied.sharpe, full.sharpe),
    }
    value, expected = implied[missing]
    assert value == pytest.approx(expected, rel=1e-6)
    gone = {missing: None} | ({"average_loss": None} if missing == "average_win" else {})
    without = read_claim(replace(full, **gone))
    left = [
        each
        for each in (
            without.implied.sharpe,
            without.implied.win_rate,
            without.implied.trades_per_session,
            without.implied.payoff,
        )
        if each is not None
    ]
    assert left == [pytest.approx(expected, rel=1e-6)]


def test_the_win_rate_comes_from_the_counts_where_none_is_stated():
    found = read_claim(StatedClaim(trades=200, wins=120))
    assert found.win_rate == 0.6
    assert found.null_words == "a coin flip, for no payoff is stated"
    assert found.checks == ()


def test_a_rate_that_no_count_makes_is_told():
    claim = StatedClaim(win_rate=0.817, win_rate_unit=0.001, trades=89)
    (check,) = read_claim(claim).checks
    assert (check.id, check.status) == ("integer-count", "FAILED")


def test_the_trades_needed_have_the_power_and_one_less_has_not():
    for sample in read_claim(StatedClaim(win_rate=0.55)).samples:
        assert power_of_rate(sample.trades, 0.55, 0.5, sample.alpha) >= 0.8
        assert power_of_rate(sample.trades - 1, 0.55, 0.5, sample.alpha) < 0.8


def test_a_rate_at_or_below_its_null_cannot_be_told_by_any_sample():
    for rate in (0.5, 0.4):
        assert [each.trades for each in read_claim(StatedClaim(win_rate=rate)).samples] == [
            None
        ] * 2


@given(st.floats(0.51, 0.99), st.floats(0.05, 0.95))
def test_the_trades_for_a_bound_are_where_wilsons_lower_bound_reaches_it(rate, threshold):
    needed = trades_for_bound(rate, threshold)
    if rate <= threshold + 0.01:
        assert needed is None or needed > 1
        return

    def lower(trades: int) -> float:
        z = 1.959963984540054  # Wilson (1927), as if wins need not be whole
        spread = z * (rate * (1 - rate) / trades + z**2 / (4 * trades**2)) ** 0.5
        return (rate + z**2 / (2 * trades) - spread) / (1 + z**2 / trades)

    assert lower(needed) >= threshold - 1e-12
    assert needed == 1 or lower(needed - 1) < threshold + 1e-12


def test_449_trades_at_the_claimed_rate_would_show_80_per_cent():
    assert trades_for_bound(0.837, 0.80) == 449
    assert wins_needed(449, 0.80) == 376  # 83.7 % of 449 is 375.8
    assert wilson_bounds(376, 449)[0] >= 0.80
    assert trades_for_bound(0.80, 0.80) is None
