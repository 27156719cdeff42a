"""PyTorch's functions by their names, looked up when they are first used."""

from __future__ import annotations

from typing import Any, Final

from tgrad.ops.install import modules


class Names:
    """`torch.stack` as `torch.stack`, `torch.linalg.cholesky` as `torch.linalg_cholesky`."""

    def __getattr__(self, name: str) -> Any:
        for place in ("linalg", "special"):
            if name.startswith(f"{place}_"):
                value = modules()[f"torch.{place}"][name.removeprefix(f"{place}_")]
                break
        else:
            value = modules()["torch"][name]
        setattr(self, name, value)
        return value


torch: Final = Names()
