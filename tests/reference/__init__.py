"""Slow references, written from the specification alone, to compare the kernels with."""
