"""A scan watched beside the truth of its prints: how each was signed, and what was behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hedgeflow.market.errors import CatalogError
from hedgeflow.market.time import MINUTE_NS
from hedgeflow.signals.history import cell_of, moneyness_bucket
from hedgeflow.signals.rules import BaselineOrigin
from hedgeflow.signals.unusual import baseline, time_bucket
from hedgeflow.simulate import TruthTable, read_truth
from hedgeflow.studies.scanning import in_sessions
from hedgeflow.studies.scoring.shocks import longest_window_ns
from hedgeflow.studies.scoring.signing import SigningCounts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hedgeflow.signals.outputs import ScanOutput
    from hedgeflow.signals.scan import ShockScan
    from hedgeflow.strategies.volume_shock.config import VolumeShockConfig
    from hedgeflow.studies.markets import Market

AlertKey = tuple[int, int, str]
"""Event, trigger and contract: what names an alert."""


class TruthWatch:
    """Folds slices for `scan_market` and takes down what the truth says of their prints.

    The scan itself sees the tape and nothing else.

    Parameters
    ----------
    folder : Path
        The simulated catalog.
    market : Market
    config : VolumeShockConfig

    Attributes
    ----------
    signing : SigningCounts
    without_baseline : set of (int, str)
        Shocks and their contracts that neither the contract's history nor its bucket's can judge.
    sign_errors : dict
        By alert: true demand of the prints that it counted, less the demand that it gave them.
    """

    def __init__(self, folder: Path, market: Market, config: VolumeShockConfig) -> None:
        self.signing = SigningCounts()
        self.without_baseline: set[tuple[int, str]] = set()
        self.sign_errors: dict[AlertKey, float] = {}
        self._folder = folder
        self._sessions = market.sessions
        self._terms = market.contracts.select("contract", "expiry", "strike")
        self._lots: list[pl.DataFrame] = []
        longest_event_ns = round(config.alert.event_length_minutes * MINUTE_NS)
        self._errors = _Errors(longest_event_ns + longest_window_ns(config))

    def advance(self, scan: ShockScan, frame: pl.DataFrame) -> ScanOutput:
        """Fold a slice as the scan does, and compare it with the truth."""
        prints = in_sessions(frame, self._sessions)
        if prints.is_empty():
            return scan.advance(frame)
        truth = self._truth_of(prints)
        signed = scan.signed_prints(prints)
        lots = prints["lots"].to_numpy()
        side = truth["side"].to_numpy()
        self.signing.add(signed["sign"], signed["rule"], side, lots)
        exposure = signed["delta"] * lots * scan.book.lot
        contract = scan.book.indices(prints["contract"].to_list())
        exposure *= scan.book.multiplier[contract]
        stamps = prints["ts"].dt.epoch("ns").to_numpy()
        self._errors.add(stamps, contract, (side - signed["sign"]) * exposure)
        output = scan.advance(frame)
        self._take_alerts(scan, output)
        self._take_shocks(scan, prints.with_columns(truth["shock_id"]))
        return output

    def shock_contracts(self) -> pl.DataFrame:
        """Return each contract of each shock: its first and last print, lots, expiry, strike."""
        whole = pl.concat(self._lots) if self._lots else _no_lots()
        grouped = whole.group_by("shock_id", "contract", maintain_order=True).agg(
            pl.col("shock_first_ns").min(), pl.col("shock_last_ns").max(), pl.col("lots").sum()
        )
        return grouped.join(self._terms, on="contract", how="left", maintain_order="left")

    def _truth_of(self, prints: pl.DataFrame) -> pl.DataFrame:
        first, last = prints["ts"].dt.epoch("ns").to_numpy()[[0, -1]].tolist()
        truth = read_truth(self._folder, TruthTable.PRINTS, first, last + 1)
        joined = prints.select("trade_id").join(
            truth.select("trade_id", "side", "shock_id"),
            on="trade_id",
            how="left",
            maintain_order="left",
        )
        if joined.height != prints.height or joined["side"].null_count():
            raise CatalogError(
                "the option tape has prints of which the truth knows nothing",
                where=str(self._folder),
                hint="Score a catalog as `hedgeflow simulate` made it, nothing imported into it",
            )
        return joined

    def _take_alerts(self, scan: ShockScan, output: ScanOutput) -> None:
        for decision in output.decisions:
            triggered = int(decision["ts"])
            members = output.members[int(decision["member_from"]) : int(decision["member_to"])]
            error = 0.0
            for member in members:
                window = scan.windows_ns[int(member["window"])]
                since = int(member["start_ns"]) or triggered - window
                error += self._errors.between(int(member["contract"]), since, triggered)
            symbol = scan.book.symbols[int(decision["contract"])]
            self.sign_errors[int(decision["event"]), triggered, symbol] = error

    def _take_shocks(self, scan: ShockScan, prints: pl.DataFrame) -> None:
        of_shocks = prints.filter(pl.col("shock_id").is_not_null())
        stamp = pl.col("ts").dt.epoch("ns")
        grouped = of_shocks.group_by("shock_id", "contract", maintain_order=True).agg(
            stamp.min().alias("shock_first_ns"),
            stamp.max().alias("shock_last_ns"),
            pl.col("lots").sum(),
            pl.col("underlying_price").last(),
        )
        for row in grouped.iter_rows(named=True):
            if not self._has_baseline(
                scan, row["contract"], row["shock_last_ns"], row["underlying_price"]
            ):
                self.without_baseline.add((row["shock_id"], row["contract"]))
        self._lots.append(grouped.drop("underlying_price").select(*_no_lots().columns))

    def _has_baseline(self, scan: ShockScan, symbol: str, at_ns: int, price: float) -> bool:
        known, rules = scan.baselines, scan.rules
        c = int(scan.book.indices([symbol])[0])
        session = int(self._sessions.index_of(np.array([at_ns]))[0])
        if known is None or c >= known.days.size:  # pragma: no cover - it has just been folded
            return False
        edges = np.array(rules.baselines.moneyness_edges)
        moneyness = moneyness_bucket(scan.book.strike[c] / price, edges)
        cell = cell_of(
            int(scan.book.right[c]),
            moneyness,
            int(known.days[c]),
            edges.size + 1,
            len(rules.baselines.days_edges),
        )
        bucket = time_bucket(at_ns, int(self._sessions.open_ns[session]))
        _, _, origin = baseline(c, cell, bucket, known.contract, known.bucket, rules.shock[0])
        return origin != BaselineOrigin.NONE


class _Errors:
    """Demand that prints were given wrongly, kept as long as an alert may ask for it."""

    def __init__(self, kept_ns: int) -> None:
        self._kept_ns = kept_ns
        self._ts = np.empty(0, np.int64)
        self._contract = np.empty(0, np.int32)
        self._error = np.empty(0)

    def add(
        self, ts: NDArray[np.int64], contract: NDArray[np.int32], error: NDArray[np.float64]
    ) -> None:
        recent = self._ts > ts[0] - self._kept_ns
        wrong = error != 0.0
        self._ts = np.concatenate((self._ts[recent], ts[wrong]))
        self._contract = np.concatenate((self._contract[recent], contract[wrong]))
        self._error = np.concatenate((self._error[recent], error[wrong]))

    def between(self, contract: int, since_ns: int, until_ns: int) -> float:
        """Return the sum in one contract over ``since_ns < ts <= until_ns``."""
        first, last = np.searchsorted(self._ts, [since_ns, until_ns], side="right")
        inside = slice(int(first), int(last))
        return float(self._error[inside][self._contract[inside] == contract].sum())


def _no_lots() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "shock_id": pl.Int64,
            "contract": pl.String,
            "shock_first_ns": pl.Int64,
            "shock_last_ns": pl.Int64,
            "lots": pl.Int64,
        }
    )
