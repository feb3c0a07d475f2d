"""The same tape under the other readings: how many alerts each would have given, and which way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
from hedgeflow.studies.scanning import ScanResult, scan_market

if TYPE_CHECKING:
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


def other_readings(market: Market, config: VolumeShockConfig, chosen: ScanResult) -> list[str]:
    """Return a sentence for each reading that was not chosen.

    Only alerts are counted, nothing is traded: no configuration is tried by looking.
    """
    sentences = [
        _sentence(_COMPLEX[mode], market, _with(config, "tape", complex=mode), chosen)
        for mode in _COMPLEX
        if mode != config.tape.complex
    ]
    sentences += [
        _sentence(_SIGNING[mode], market, _with(config, "signing", mode=mode), chosen)
        for mode in _SIGNING
        if mode != config.signing.mode
    ]
    other = (
        VolumeShockConfig.normalized() if config.preset == "source" else VolumeShockConfig.source()
    )
    sentences.append(_sentence(f"Under the preset {other.preset}", market, other, chosen))
    return sentences


def _with(config: VolumeShockConfig, section: str, **changes: str) -> VolumeShockConfig:
    changed = getattr(config, section).model_copy(update=changes)
    return config.model_copy(update={section: changed})


def _sentence(reading: str, market: Market, config: VolumeShockConfig, chosen: ScanResult) -> str:
    other = scan_market(market, config)
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
