"""Hedging flow: detect it, trade it, and say honestly whether the claim holds."""

from importlib import import_module

from hedgeflow.kernels import keep_kernels

__version__ = "0.1.0"

_NOTEBOOK = ("backtest", "load_package", "scan", "validate")
"""Functions of `hedgeflow.notebook`, which is loaded when one of them is first asked for."""


def __getattr__(name: str) -> object:
    if name in _NOTEBOOK:
        return getattr(import_module("hedgeflow.notebook"), name)
    message = f"module 'hedgeflow' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NOTEBOOK})


keep_kernels()  # before any module decorates a kernel
