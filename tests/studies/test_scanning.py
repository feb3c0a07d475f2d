"""What a scan says of itself in words."""

from __future__ import annotations

import polars as pl
import pytest

from hedgeflow.strategies.volume_shock import VolumeShockConfig
from hedgeflow.studies.scanning import signing_words

CONFIG = VolumeShockConfig()


def alerts(*rows: tuple[str, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["signing_json", "volume_contracts"], orient="row")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([('{"AGGRESSOR": 1.0, "INSTITUTIONAL": 0.5}', 10.0)], "the taker's side (100 %)"),
        (
            [('{"TICK": 1.0}', 30.0), ('{"TICK": 0.5, "NONE": 0.5}', 20.0)],
            "the tick rule (80 %), nothing (20 %)",
        ),
        (
            [('{"QUOTE": 0.75, "COMPLEX": 0.25}', 4.0)],
            "the quote rule (75 %), nothing, as legs of complex orders (25 %)",
        ),
        ([], "aggressor, but there was no alert"),
    ],
)
def test_the_rules_that_signed_are_named_by_their_share_of_volume(rows, words):
    assert signing_words(alerts(*rows), CONFIG) == words
