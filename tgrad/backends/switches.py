"""The switches of `torch.backends`: they choose between kernels that tgrad doesn't have.

Programs set them for speed or for reproducible results on a GPU, so they can be read and set;
nothing depends on them.  `is_available` and `is_built` say no.
"""

from __future__ import annotations

from typing import Any, Final


class Switches:
    """A group of switches, such as `torch.backends.cudnn`: its names can be read and set."""

    __slots__ = ("_name", "_values")
    _values: dict[str, Any]

    def __init__(self, name: str, **values: Any) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise self._missing(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self._values or callable(self._values[name]):
            raise self._missing(name)
        self._values[name] = value

    def __dir__(self) -> list[str]:
        return sorted(self._values)

    def __repr__(self) -> str:
        return f"<module '{self._name}'>"

    def _missing(self, name: str) -> AttributeError:
        return AttributeError(
            f"module '{self._name}' has no attribute '{name}'", name=name, obj=self
        )


def _no() -> bool:
    return False


def _nothing() -> None:
    return None


GROUPS: Final = {
    "cudnn": Switches(
        "torch.backends.cudnn",
        enabled=True, deterministic=False, benchmark=False, benchmark_limit=10, allow_tf32=True,
        is_available=_no, version=_nothing,
    ),
    "cuda": Switches(
        "torch.backends.cuda",
        is_built=_no, matmul=Switches("torch.backends.cuda.matmul", allow_tf32=False),
    ),
    "mps": Switches("torch.backends.mps", is_available=_no, is_built=_no),
    "mkl": Switches("torch.backends.mkl", is_available=_no),
    "mkldnn": Switches("torch.backends.mkldnn", enabled=True, is_available=_no),
    "openmp": Switches("torch.backends.openmp", is_available=_no),
}  # fmt: skip
