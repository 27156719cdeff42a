"""What is known of an array by its shape and dtype alone."""

from __future__ import annotations

from typing import Any, Final


class Flags:
    """What NumPy tells about an array's memory: it is always as if stored row by row."""

    c_contiguous = writeable = True
    f_contiguous = False


FLAGS: Final = Flags()


class Geometry:
    """An array as if stored row by row."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: Any

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        product = 1
        for size in self.shape:
            product *= size
        return product

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Steps in bytes, as if stored row by row."""
        found = []
        step = self.itemsize
        for size in reversed(self.shape):
            found.append(step)
            step *= max(size, 1)
        return tuple(reversed(found))

    def __len__(self) -> int:
        return self.shape[0]


def whole_shape(count: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape for so many elements with its -1, if there is one, worked out."""
    if -1 in shape:
        known = 1
        for size in shape:
            known *= size if size != -1 else 1
        shape = tuple(count // max(known, 1) if size == -1 else size for size in shape)
    found = 1
    for size in shape:
        found *= size
    if found != count:
        raise ValueError(f"cannot reshape array of size {count} into shape {shape}")
    return shape
