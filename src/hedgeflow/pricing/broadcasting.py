"""From array-likes to compiled loops: validation, broadcasting in bounded memory, results."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgeflow.pricing.errors import PricingInputError

FloatArray: TypeAlias = NDArray[np.float64]

# Contiguous chunks of one kind only: every loop is compiled once. (numpy's stubs lack "contig".)
READ: Any = ("readonly", "contig")
WRITE: Any = ("writeonly", "allocate", "contig")
BUFFER_ELEMENTS = 1 << 15
POSITIVE = frozenset({"forward", "strike", "discount"})


def over(
    loop: Callable[..., None],
    right: ArrayLike | None,
    **arguments: ArrayLike,
) -> FloatArray:
    """Call a compiled loop over contiguous chunks of the broadcast arguments.

    ``loop(*chunks, out)`` receives one-dimensional contiguous arrays of at most
    ``BUFFER_ELEMENTS``, right as int8, the others as float64, in the order given. The result has
    the broadcast shape; a float64 scalar where every argument is one.
    """
    checked = [_checked(name, values) for name, values in arguments.items()]
    inputs: list[NDArray[Any]] = checked if right is None else [_rights(right), *checked]
    iterator = np.nditer(
        [*inputs, None],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[*[READ] * len(inputs), WRITE],
        op_dtypes=[values.dtype for values in inputs] + [np.dtype(np.float64)],
        order="C",
        buffersize=BUFFER_ELEMENTS,
    )
    with iterator:
        for chunk in iterator:
            loop(*chunk)
        result: FloatArray = iterator.operands[-1]
    return result[()]


def _rights(right: ArrayLike) -> NDArray[np.int8]:
    given = np.asarray(right)
    if given.dtype.kind not in "iuf":
        raise PricingInputError("right", (), right, "integers, +1 for a call and -1 for a put")
    _refuse("right", given, (given != 1) & (given != -1), "+1 for a call or -1 for a put")
    return given.astype(np.int8)


def _checked(name: str, values: ArrayLike) -> FloatArray:
    given = np.asarray(values, dtype=np.float64)
    if name in POSITIVE:
        bad = (given <= 0.0) | np.isinf(given)
        _refuse(name, given, bad, "a positive finite number (NaN for unknown)")
    elif name == "vol":
        _refuse(name, given, given < 0.0, "a volatility of 0 or more (NaN for unknown)")
    return given


def _refuse(name: str, given: NDArray[Any], bad: NDArray[np.bool_], expected: str) -> None:
    if not bad.any():
        return
    index = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
    raise PricingInputError(name, index, given[index].item(), expected)
