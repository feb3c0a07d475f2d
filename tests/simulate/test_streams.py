import numpy as np
import pytest

from hedgeflow.simulate.streams import Component, fixed_draws, stream


def test_a_fixed_draw_depends_on_its_pair_and_not_on_its_company():
    number = np.arange(1_000, dtype=np.int64)
    stamps = 1_736_121_600_000_000_000 + 7_000_000 * number
    every = fixed_draws(7, Component.OPTION_QUOTES, number, stamps)
    some = fixed_draws(7, Component.OPTION_QUOTES, number[500:503], stamps[500:503])
    assert some.tolist() == every[500:503].tolist()


@pytest.mark.parametrize("varied", ["number", "stamps"])
def test_fixed_draws_are_uniform_and_independent_of_their_neighbours(varied):
    count = 200_000
    same = np.full(count, 41, dtype=np.int64)
    running = np.arange(count, dtype=np.int64)
    pair = {
        "number": (running, same + 1_736_121_600_000_000_000),
        "stamps": (same, 1_736_121_600_000_000_000 + 1_000_000 * running),
    }[varied]
    draws = fixed_draws(7, Component.OPTION_QUOTES, *pair)
    assert 0.0 <= draws.min() < draws.max() < 1.0
    tenths = np.bincount((10 * draws).astype(np.int64), minlength=10)
    assert ((tenths - count / 10) ** 2 / (count / 10)).sum() < 27.9  # chi-square, 9 df, p = 0.001
    neighbours = np.corrcoef(draws[:-1], draws[1:])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(count)


def test_seeds_and_components_have_draws_of_their_own():
    number = np.arange(1_000, dtype=np.int64)
    draws = [
        fixed_draws(seed, component, number, number)
        for seed, component in (
            (7, Component.OPTION_QUOTES),
            (8, Component.OPTION_QUOTES),
            (7, Component.QUOTE_SIZES),
        )
    ]
    correlation = np.corrcoef(draws) - np.eye(3)
    assert np.abs(correlation).max() < 0.15


def test_no_two_components_share_a_stream():
    first = [stream(7, component, 3).random() for component in Component]
    assert len(set(first)) == len(Component) == len({int(component) for component in Component})
