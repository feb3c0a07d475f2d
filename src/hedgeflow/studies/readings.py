"""The same tape under the other readings: how many alerts each would have given, and which way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies.scanning import ScanResult, scan_market

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hedgeflow.studies.markets import Market

_COMPLEX = {
    "net": "With complex orders netted",
    "include": "With every leg of a complex order counted as a print of its own",
    "exclude": "With complex orders left out",
}
_SIGNING = {
    "aggressor": "With trades signed by their aggressor",
    "assume-bought": "With every customer assumed to have bought, as the source does in silence",
}


def reading_count(config: VolumeShockConfig) -> int:
    """Return how many readings were not chosen."""
    return len(_others(config))


def staged(
    progress: Callable[[int, int], None] | None, stage: int, stages: int
) -> Callable[[int, int], None] | None:
    """Return the progress of one of several equal stages."""
    if progress is None:
        return None
    return lambda done, total: progress(stage * total + done, stages * total)


def other_readings(
    market: Market,
    config: VolumeShockConfig,
    chosen: ScanResult,
    progress: Sequence[Callable[[int, int], None] | None] = (),
) -> list[str]:
    """Return a sentence for each reading that was not chosen.

    Only alerts are counted, nothing is traded: no configuration is tried by looking.

    Parameters
    ----------
    market : Market
    config : VolumeShockConfig
    chosen : ScanResult
    progress : sequence of callable or None, optional
        One a reading, called with prints done and prints in all.
    """
    others = _others(config)
    calls = progress or [None] * len(others)
    return [
        _sentence(name, scan_market(market, other, call), chosen)
        for (name, other), call in zip(others, calls, strict=True)
    ]


def _others(config: VolumeShockConfig) -> list[tuple[str, VolumeShockConfig]]:
    others = [
        (_COMPLEX[mode], _with(config, "tape", complex=mode))
        for mode in _COMPLEX
        if mode != config.tape.complex
    ]
    others += [
        (_SIGNING[mode], _with(config, "signing", mode=mode))
        for mode in _SIGNING
        if mode != config.signing.mode
    ]
    preset = (
        VolumeShockConfig.normalized() if config.preset == "source" else VolumeShockConfig.source()
    )
    return [*others, (f"Under the preset {preset.preset}", preset)]


def _with(config: VolumeShockConfig, section: str, **changes: str) -> VolumeShockConfig:
    changed = getattr(config, section).model_copy(update=changes)
    return config.model_copy(update={section: changed})


def _sentence(reading: str, other: ScanResult, chosen: ScanResult) -> str:
    text = (
        f"{reading}: {other.anomalies.height:,} anomalies instead of"
        f" {chosen.anomalies.height:,}, {other.alerts.height:,} alerts instead of"
        f" {chosen.alerts.height:,}"
    )
    both = chosen.alerts.join(
        other.alerts.select("triggered_ns", "contract", other="direction"),
        on=["triggered_ns", "contract"],
        how="inner",
    )
    if both.is_empty():
        return f"{text}."
    against = both.filter(pl.col("direction") != pl.col("other")).height
    return f"{text}; of the {both.height:,} alerts that both give, {against:,} point the other way."
