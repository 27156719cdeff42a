"""Parts of parameters set to zero and kept there: `torch.nn.utils.prune`."""

from __future__ import annotations

from typing import Any

from tgrad.core.engine import Spaces
from tgrad.errors import ArgumentError, ArgumentValueError
from tgrad.nn.parameter import Parameter


class BasePruningMethod:
    """A mask on one parameter, computed once and multiplied with it before each call."""

    _tensor_name: str

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask on top of an earlier one."""
        raise NotImplementedError

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def apply_mask(self, module: Any) -> Any:
        """The parameter with zeros where the mask has them."""
        name = self._tensor_name
        mask = getattr(module, f"{name}_mask")
        original = getattr(module, f"{name}_orig")
        return mask.to(dtype=original.dtype) * original

    def prune(self, t: Any, default_mask: Any = None) -> Any:
        """A tensor with zeros where this method puts them."""
        if default_mask is None:
            default_mask = t.new_ones(t.shape)
        return t * self.compute_mask(t, default_mask)

    def attach(self, module: Any, name: str) -> Any:
        """Prune a module's parameter from now on, on top of what pruned it before."""
        self._tensor_name = name
        before = _method_of(module, name)
        if before is None:
            original = getattr(module, name)
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", original)
            mask = original.detach().new_ones(original.shape)
        else:
            key, _ = before
            del module._hooks.before[key]
            mask = getattr(module, f"{name}_mask")
        original = getattr(module, f"{name}_orig")
        kept = mask.to(dtype=original.dtype)
        mask = self.compute_mask(original.detach() * kept, kept)
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, self.apply_mask(module))
        module.register_forward_pre_hook(self)
        return self


class Identity(BasePruningMethod):
    """Nothing is pruned."""

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The earlier mask."""
        return default_mask


class CustomFromMask(BasePruningMethod):
    """What a given mask says."""

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Both masks together."""
        return default_mask * self.mask.to(dtype=default_mask.dtype)


class _Unstructured(BasePruningMethod):
    def __init__(self, amount: float) -> None:
        _check_amount(amount)
        self.amount = amount

    def places(self, scores: Any, count: int) -> Any:
        """The places of a number of elements among those that are left."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The earlier mask, with zeros at more places."""
        left = default_mask == 1
        count = _count(self.amount, int(left.sum().item()))
        if count == 0:
            return default_mask
        part = default_mask[left].clone()
        part[self.places(t[left], count)] = 0
        mask = default_mask.clone()
        mask[left] = part
        return mask


class RandomUnstructured(_Unstructured):
    """Elements at random."""

    def places(self, scores: Any, count: int) -> Any:
        """Random places."""
        drawn = scores.new_empty(scores.shape).uniform_()
        return drawn.topk(count)[1]


class L1Unstructured(_Unstructured):
    """The elements nearest to zero."""

    def places(self, scores: Any, count: int) -> Any:
        """The places of the smallest."""
        return scores.abs().topk(count, largest=False)[1]


def _check_amount(amount: Any) -> None:
    if not isinstance(amount, (int, float)):
        raise ArgumentError(f"Invalid type for amount: {amount}. Must be int or float.")
    bad = amount < 0 if isinstance(amount, int) else not 0.0 <= amount <= 1.0
    if bad:
        raise ArgumentValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
        )


def _count(amount: float, size: int) -> int:
    if isinstance(amount, int):
        if amount > size:
            raise ArgumentValueError(
                f"amount={amount} should be smaller than the number of parameters to prune={size}"
            )
        return amount
    return round(amount * size)


def _method_of(module: Any, name: str) -> tuple[int, Any] | None:
    hooks = module._hooks.before if module._hooks is not None else {}
    for key, hook in hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key, hook
    return None


def identity(module: Any, name: str) -> Any:
    """Prune nothing, but split the parameter into original and mask."""
    Identity().attach(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float) -> Any:
    """Set elements at random to zero."""
    RandomUnstructured(amount).attach(module, name)
    return module


def l1_unstructured(module: Any, name: str, amount: float, importance_scores: Any = None) -> Any:
    """Set the elements nearest to zero to zero."""
    L1Unstructured(amount).attach(module, name)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Set the elements to zero where a mask is zero."""
    CustomFromMask(mask).attach(module, name)
    return module


def global_unstructured(
    parameters: Any, pruning_method: Any, importance_scores: Any = None, **options: Any
) -> None:
    """Prune several parameters as if they were one tensor."""
    o = Spaces.recorded
    pairs = list(parameters)
    values = [getattr(module, name).detach() for module, name in pairs]
    masks = [
        getattr(module, f"{name}_mask", value.new_ones(value.shape))
        for (module, name), value in zip(pairs, values, strict=True)
    ]
    whole = o.cat(tuple(v.reshape(-1) for v in values), 0)
    before = o.cat(tuple(m.reshape(-1) for m in masks), 0)
    mask = pruning_method(**options).compute_mask(whole, before)
    start = 0
    for (module, name), value in zip(pairs, values, strict=True):
        part = mask[start : start + value.numel()].view_as(value)
        custom_from_mask(module, name, part)
        start += value.numel()


def remove(module: Any, name: str) -> Any:
    """Make the pruned tensor the parameter itself."""
    found = _method_of(module, name)
    if found is None:
        raise ArgumentValueError(
            f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
        )
    key, method = found
    del module._hooks.before[key]
    weight = method.apply_mask(module)
    if hasattr(module, name):
        delattr(module, name)
    original = module._parameters.pop(f"{name}_orig")
    original.data = weight.data
    del module._buffers[f"{name}_mask"]
    setattr(module, name, original if original.requires_grad else Parameter(weight.data, False))
    return module


def is_pruned(module: Any) -> bool:
    """Whether a module in this one has a pruned parameter."""
    return any(
        isinstance(hook, BasePruningMethod)
        for part in module.modules()
        if part._hooks is not None
        for hook in part._hooks.before.values()
    )
