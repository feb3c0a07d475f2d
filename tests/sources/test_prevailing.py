"""What was known at a print, against a plain loop over everything known by then."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hedgeflow.sources.prevailing import with_quotes, with_underlying_price

STAMPS = st.lists(st.integers(0, 30), max_size=12)
CONTRACTS = st.sampled_from(["A", "B"])


def instants(values):
    return pl.Series(values, dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))


@given(prints=STAMPS, prices=STAMPS)
def test_the_underlying_price_is_the_last_known_with_the_print(prints, prices):
    table = pl.DataFrame({"known_at": instants(prints)})
    known = pl.DataFrame(
        {"known_at": instants(prices), "price": [float(place) for place in range(len(prices))]}
    )
    found = with_underlying_price(table, known)["underlying_price"].to_list()
    ordered = sorted(enumerate(prices), key=lambda pair: pair[1])
    for at, price in zip(prints, found, strict=True):
        by_then = [float(place) for place, stamp in ordered if stamp <= at]
        assert price == (by_then[-1] if by_then else None)


@given(
    prints=st.lists(st.tuples(st.integers(0, 30), CONTRACTS), max_size=12),
    quotes=st.lists(st.tuples(st.integers(0, 30), CONTRACTS), max_size=12),
)
def test_the_quote_is_the_contracts_last_known_before_the_print_began(prints, quotes):
    table = pl.DataFrame(
        {
            "ts": instants([stamp for stamp, _ in prints]),
            "contract": pl.Series([name for _, name in prints], dtype=pl.String),
        }
    )
    known = pl.DataFrame(
        {
            "known_at": instants([stamp for stamp, _ in quotes]),
            "contract": pl.Series([name for _, name in quotes], dtype=pl.String),
            "bid": [float(place) for place in range(len(quotes))],
            "ask": [float(place) + 1.0 for place in range(len(quotes))],
        }
    )
    found = with_quotes(table, known)
    assert found.select("ts", "contract").equals(table)
    ordered = sorted(enumerate(quotes), key=lambda pair: pair[1][0])
    for (at, contract), bid, ask in zip(
        prints, found["bid"].to_list(), found["ask"].to_list(), strict=True
    ):
        own = [float(place) for place, (stamp, name) in ordered if name == contract and stamp <= at]
        assert (bid, ask) == ((own[-1], own[-1] + 1.0) if own else (None, None))
