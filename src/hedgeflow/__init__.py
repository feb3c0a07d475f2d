"""Hedging flow: detect it, trade it, and say honestly whether the claim holds."""

__version__ = "0.1.0"
