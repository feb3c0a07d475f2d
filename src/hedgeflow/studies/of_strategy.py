"""What a strategy's own room says of it, as every study asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol

from hedgeflow.market.settings import validated
from hedgeflow.strategies.loading import load_settings
from hedgeflow.studies.study import ConfigT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hedgeflow.market.contracts import HedgeInstrument
    from hedgeflow.strategies.claims import Declaration
    from hedgeflow.strategies.feasibility import Finding
    from hedgeflow.strategies.search import Choices, ScanReads, Span


class Explained(Protocol):
    """A strategy's `explain_config`."""

    def __call__(
        self, config: Any, *, price: float | None = None, hedge: HedgeInstrument | None = None
    ) -> Sequence[Finding]:
        """Return what conflicts, never binds or cannot pay its costs."""
        ...


@dataclass(frozen=True, slots=True)
class OfStrategy(Generic[ConfigT]):
    """The part of a `Study` that a strategy's own room has said already.

    Attributes
    ----------
    declaration : Declaration
    search_space : tuple of Span or Choices
    config_type : type
        Of its settings; they check themselves.
    explained : callable
        The strategy's `explain_config`.
    reads : ScanReads
        What a scan of it reads.
    """

    declaration: Declaration
    search_space: tuple[Span | Choices, ...]
    config_type: type[ConfigT]
    explained: Explained
    reads: ScanReads

    def load_config(
        self,
        preset: str | None = None,
        path: Path | None = None,
        settings: Sequence[str] = (),
        *,
        market_settings: Mapping[str, Any] | None = None,
    ) -> ConfigT:
        """Return a configuration from a preset, a file and single settings."""
        return load_settings(
            self.config_type, preset, path, settings, market_settings=market_settings
        )

    def of_settings(self, document: Mapping[str, Any], where: str = "") -> ConfigT:
        """Return the configuration that a whole document of settings is."""
        return validated(self.config_type, dict(document), where)

    def of_preset(self, preset: str) -> ConfigT:
        """Return a preset."""
        return getattr(self.config_type, preset)()

    def explain_config(
        self,
        config: ConfigT,
        *,
        price: float | None = None,
        hedge: HedgeInstrument | None = None,
    ) -> Sequence[Finding]:
        """Return what conflicts, never binds or cannot pay its costs."""
        return self.explained(config, price=price, hedge=hedge)

    def scan_settings(self, config: ConfigT) -> dict[str, Any]:
        """Return all that alerts and the choice of tapes depend on."""
        return self.reads.settings(config)

    def is_scanned(self, key: str) -> bool:
        """Say whether a scan must be made anew when a setting changes."""
        return self.reads.has(key)
