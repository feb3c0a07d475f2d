"""Since when contracts are listed: from the first snapshot of a whole chain that shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hedgeflow.market.tapes import TIME
from hedgeflow.studies.expiration.listings import listing_note, with_listings

FIRST = datetime(2026, 1, 9, 2, tzinfo=UTC)
EXPIRY = datetime(2026, 1, 16, 8, tzinfo=UTC)


def contracts(*strikes: int, listed: datetime | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "contract": [f"C{strike}" for strike in strikes],
            "strike": [float(strike) for strike in strikes],
            "expiry": [EXPIRY] * len(strikes),
            "listed": [listed] * len(strikes),
        },
        schema_overrides={"expiry": TIME, "listed": TIME},
    )


def snapshots(*shown: tuple[int, ...]) -> pl.DataFrame:
    """Return one snapshot every six hours."""
    return pl.DataFrame(
        {
            "contract": [f"C{strike}" for strikes in shown for strike in strikes],
            "known_at": [
                FIRST + timedelta(hours=6 * place)
                for place, strikes in enumerate(shown)
                for _ in strikes
            ],
        },
        schema_overrides={"known_at": TIME},
    )


def test_a_contract_is_listed_from_the_first_snapshot_of_whole_chains_that_shows_it():
    rows = snapshots((80, 84), (80, 84), (80, 82, 84), (80, 82, 84))
    made = with_listings(contracts(80, 82, 84), rows)
    assert made["listed"].to_list() == [FIRST, FIRST + timedelta(hours=12), FIRST]
    assert made.columns == contracts(80).columns
    assert listing_note(made) is None


def test_a_strike_that_rolls_with_the_price_may_have_been_listed_before_it_was_seen():
    terms = contracts(80, 82, 84)
    made = with_listings(terms, snapshots((80,), (82,), (84,), (82,), (80,), (84,)))
    assert made.equals(terms)
    assert "When 3 of 3 option contracts were listed is not known" in str(listing_note(made))


def test_profiles_that_end_some_way_from_the_price_are_whole_around_it():
    rows = snapshots((78, 80, 82, 84), (80, 82, 84, 86), (80, 82, 84, 86), (80, 82, 84, 86))
    made = with_listings(contracts(78, 80, 82, 84, 86), rows)
    assert made["listed"].to_list()[:2] == [FIRST, FIRST]
    assert made["listed"].to_list()[4] == FIRST + timedelta(hours=6)


def test_a_listing_that_is_known_is_kept():
    before = FIRST - timedelta(days=3)
    made = with_listings(contracts(80, 84, listed=before), snapshots((80, 84), (80, 84)))
    assert made["listed"].to_list() == [before, before]


def test_a_contract_that_no_snapshot_shows_is_said_to_be_of_unknown_listing():
    made = with_listings(contracts(80, 84), snapshots((80,), (80,)))
    assert made["listed"].to_list() == [FIRST, None]
    assert "When 1 of 2 option contracts" in str(listing_note(made))


@pytest.mark.parametrize(
    ("underlying", "is_known"), [("BTC", True), ("SPX", True), ("NIFTY", False), ("AAPL", False)]
)
def test_recorded_chains_of_deribit_and_spx_say_since_when_strikes_are_listed(
    recorded, underlying, is_known
):
    market = recorded(underlying)
    assert (market.contracts["listed"].null_count() == 0) == is_known
    told = any("were listed is not known" in note for note in market.notes)
    assert told == (not is_known)
