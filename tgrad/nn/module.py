"""Modules: parameters together with what is computed from them, nested in each other."""

from __future__ import annotations

from typing import Any, ClassVar

from tgrad.core.tensor import Tensor
from tgrad.errors import ArgumentError, ArgumentValueError, NotAvailableError, TensorError
from tgrad.nn.module_conversion import Conversion
from tgrad.nn.module_hooks import Hooked
from tgrad.nn.module_state import Saving
from tgrad.nn.module_tree import MissingAttributeError
from tgrad.nn.parameter import buffer_persistence, is_parameter


class NameTakenError(TensorError, KeyError):
    """A name that a module can't give to a parameter, a buffer or a module."""

    builtin = KeyError

    def __str__(self) -> str:
        return repr(self.message)


class Module(Conversion, Saving, Hooked):
    """The base of all modules; `module(x)` calls `forward(x)`.

    Parameters, buffers and modules that are assigned to attributes are registered under their names.
    """

    training: bool
    call_super_init: ClassVar[bool] = False
    """Whether `Module.__init__` hands on its arguments to the next class."""
    dump_patches: ClassVar[bool] = False

    def __init__(self, *args: Any, **keywords: Any) -> None:
        name = type(self).__name__
        if keywords and not self.call_super_init:
            raise ArgumentError(
                f"{name}.__init__() got an unexpected keyword argument '{next(iter(keywords))}'"
            )
        if args and not self.call_super_init:
            raise ArgumentError(
                f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={},
            _non_persistent_buffers_set=set(), _hooks=None, _state_hooks=None,
        )  # fmt: skip
        if self.call_super_init:
            super().__init__(*args, **keywords)

    def forward(self, *args: Any, **keywords: Any) -> Any:
        """What the module computes; each kind of module has its own."""
        raise NotAvailableError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if self._hooks is None:
            return self.forward(*args, **keywords)
        return self._call_with_hooks(args, keywords)

    # ------------------------------------------------------------------ attributes

    def __getattr__(self, name: str) -> Any:
        parts = self.__dict__
        for place in ("_parameters", "_buffers", "_modules"):
            found = parts.get(place)
            if found is not None and name in found:
                return found[name]
        raise MissingAttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        parts = self.__dict__
        kind = _kind(value)
        if "_parameters" not in parts:
            if kind is not None and kind != "_buffers":
                what = "parameters" if kind == "_parameters" else "module"
                raise MissingAttributeError(f"cannot assign {what} before Module.__init__() call")
            object.__setattr__(self, name, value)
        elif kind is None:
            self._set_other(name, value)
        elif kind == "_parameters":
            self._forget(name)
            self.register_parameter(name, value)
        elif name in parts["_parameters"]:
            self._set_other(name, value)
        elif kind == "_modules":
            self._forget(name)
            parts["_modules"][name] = value
        elif name in parts["_modules"] or name not in parts["_buffers"]:
            self._set_other(name, value)
        else:
            parts["_buffers"][name] = value

    def _set_other(self, name: str, value: Any) -> None:
        """Set an attribute to what is neither a parameter nor a module."""
        parts = self.__dict__
        for place, what, expected in PLACES:
            if name in parts[place]:
                if value is not None:
                    raise ArgumentError(
                        f"cannot assign '{_class_path(value)}' as {what} '{name}' "
                        f"({expected} or None expected)"
                    )
                parts[place][name] = None
                return
        persistent = buffer_persistence(value)
        if persistent is None:
            object.__setattr__(self, name, value)
        else:
            self._forget(name)
            self.register_buffer(name, value, persistent)

    def __delattr__(self, name: str) -> None:
        for place in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__[place]:
                del self.__dict__[place][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def _forget(self, name: str) -> None:
        self.__dict__.pop(name, None)
        for place in ("_parameters", "_buffers", "_modules"):
            self.__dict__[place].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __dir__(self) -> list[str]:
        names = [*super().__dir__(), *self._parameters, *self._buffers, *self._modules]
        return sorted({name for name in names if not name[:1].isdigit()})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # ------------------------------------------------------------------ registering

    def _check_name(self, name: Any, what: str, place: str, where: str = "") -> None:
        if place not in self.__dict__:
            raise MissingAttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise ArgumentError(f"{what} name should be a string. Got {_class_path(name)}")
        taken = NameTakenError(f"attribute '{name}' already exists")
        if what == "module" and hasattr(self, name) and name not in self._modules:
            raise taken
        if "." in name:
            raise NameTakenError(f'{what} name can\'t contain "."{where}')
        if name == "":
            raise NameTakenError(f'{what} name can\'t be empty string ""')
        if what != "module" and hasattr(self, name) and name not in self.__dict__[place]:
            raise taken

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter, or None for one that isn't there."""
        self._check_name(name, "parameter", "_parameters")
        if param is not None and not is_parameter(param):
            raise ArgumentError(
                f"cannot assign '{_class_path(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ArgumentValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but isn't optimised."""
        self._check_name(name, "buffer", "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(
                f"cannot assign '{_class_path(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Add a module under a name."""
        if module is not None and not isinstance(module, Module):
            raise ArgumentError(f"{_class_path(module)} is not a Module subclass")
        self._check_name(name, "module", "_modules", f", got: {name}")
        self._modules[name] = module

    def register_module(self, name: str, module: Any) -> None:
        """Add a module under a name."""
        self.add_module(name, module)

    def compile(self, *args: Any, **keywords: Any) -> None:
        """Not available: modules run as they are."""
        raise NotAvailableError("compile is not available in tgrad: modules run as they are")

    # ------------------------------------------------------------------ text

    def extra_repr(self) -> str:
        """What stands in the parentheses of the module's text."""
        return ""

    def _get_name(self) -> str:
        return str(type(self).__name__)

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        body = "\n  ".join(lines + children)
        return f"{self._get_name()}(\n  {body}\n)"


Module.__module__ = "torch.nn.modules.module"

PLACES = (
    ("_parameters", "parameter", "torch.nn.Parameter"),
    ("_modules", "child module", "torch.nn.Module"),
    ("_buffers", "buffer", "torch.nn.Buffer, torch.Tensor"),
)
"""Where a module keeps what; what it is called, and what may be assigned to its name."""


def _kind(value: Any) -> str | None:
    """The place to which a value belongs, None for plain values and marked buffers."""
    if isinstance(value, Tensor):
        if is_parameter(value):
            return "_parameters"
        return "_buffers" if buffer_persistence(value) is None else None
    return "_modules" if isinstance(value, Module) else None


def indented(text: str) -> str:
    """A module's text inside of another one's."""
    return text.replace("\n", "\n  ")


def _class_path(value: Any) -> str:
    """A value's class as PyTorch's sentences name it."""
    if isinstance(value, Tensor):
        return str(value.type())
    kind = type(value)
    if kind.__module__ in ("builtins", "__main__", "__builtin__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"
