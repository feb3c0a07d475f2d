"""What we use of numba, typed: a compiled function keeps the signature of its source."""

from collections.abc import Callable
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, overload

_P = ParamSpec("_P")
_R = TypeVar("_R")
_R_co = TypeVar("_R_co", covariant=True)

class Dispatcher(Protocol[_P, _R_co]):
    """A function that compiles itself, once for every combination of argument types."""

    __name__: str
    __doc__: str | None
    __module__: str
    signatures: list[tuple[Any, ...]]
    @property
    def py_func(self) -> Callable[_P, _R_co]: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R_co: ...
    def compile(self, sig: object) -> object: ...

@overload
def njit(func: Callable[_P, _R], /) -> Dispatcher[_P, _R]: ...
@overload
def njit(
    signature: object = ...,
    /,
    *,
    boundscheck: bool | None = ...,
    cache: bool = ...,
    error_model: Literal["python", "numpy"] = ...,
    fastmath: bool | set[str] = ...,
    inline: Literal["never", "always"] = ...,
    locals: dict[str, Any] = ...,
    nogil: bool = ...,
    parallel: bool = ...,
) -> Callable[[Callable[_P, _R]], Dispatcher[_P, _R]]: ...

class prange(range): ...

def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def __getattr__(name: str) -> Any: ...
