"""More optimisers: NAdam, RAdam, Rprop, ASGD, Adafactor; the arithmetic of PyTorch's, in its order."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core.engine import Spaces
from tgrad.optim.algorithms import State, _count, _counter, _like, _number, _plain
from tgrad.optim.optimizer import Group, Optimizer, check_betas, check_positive, require


def _scalar(value: float) -> Any:
    """A number in a tensor of one element, as PyTorch keeps it."""
    result = _counter()
    result.fill_(value)
    return result


def _decay(param: Any, grad: Any, group: Group) -> Any:
    """Weight decay, in the gradient or apart from it; returns the gradient."""
    if group["weight_decay"] == 0:
        return grad
    if group["decoupled_weight_decay"]:
        param.mul_(1 - _number(group["lr"]) * group["weight_decay"])
        return grad
    return grad.add(param, alpha=group["weight_decay"])


class NAdam(Optimizer):
    """Adam with Nesterov momentum (T. Dozat, Incorporating Nesterov Momentum into Adam, 2016)."""

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False, *, foreach: Any = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay, momentum_decay=momentum_decay)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state.update(
                step=_counter(), mu_product=_scalar(1.0), exp_avg=_like(param),
                exp_avg_sq=_like(param),
            )  # fmt: skip
        step, rate = _count(state), _number(group["lr"])
        beta1, beta2 = group["betas"]
        grad = _decay(param, grad, group)
        mu = beta1 * (1.0 - 0.5 * (0.96 ** (step * group["momentum_decay"])))
        mu_next = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * group["momentum_decay"])))
        state["mu_product"] *= mu
        product = state["mu_product"].item()
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        root = square.div(1 - beta2**step).sqrt().add_(group["eps"])
        param.addcdiv_(grad, root, value=-rate * (1.0 - mu) / (1.0 - product))
        param.addcdiv_(mean, root, value=(-rate * mu_next) / (1.0 - product * mu_next))


class RAdam(Optimizer):
    """Adam whose steps are rectified while the mean square is uncertain (L. Liu et al., 2020)."""

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, decoupled_weight_decay: bool = False, *,
        foreach: Any = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state.update(step=_counter(), exp_avg=_like(param), exp_avg_sq=_like(param))
        step, rate = _count(state), _number(group["lr"])
        beta1, beta2 = group["betas"]
        grad = _decay(param, grad, group)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction = 1 - beta2**step
        change = mean / (1 - beta1**step)
        whole = 2 / (1 - beta2) - 1
        length = whole - 2 * step * (beta2**step) / correction
        if length > 5.0:
            rect = math.sqrt((length - 4) * (length - 2) * whole / ((whole - 4) * (whole - 2) * length))
            adaptive = (correction**0.5) / square.sqrt().add_(group["eps"])
            change = change * rate * adaptive * rect
        else:
            change = change * rate
        param.add_(change, alpha=-1.0)


class Rprop(Optimizer):
    """Steps by the signs of the gradients alone (M. Riedmiller, H. Braun, 1993)."""

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False,
        foreach: Any = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr)
        require(0.0 < etas[0] < 1.0 < etas[1], f"Invalid eta values: {etas[0]}, {etas[1]}")
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            size = _like(param, float(_number(group["lr"])))
            state.update(step=_counter(), prev=_like(param), step_size=size)
        state["step"] += 1
        smaller, larger = group["etas"]
        least, most = group["step_sizes"]
        product = grad.mul(state["prev"])
        factor = _like(param, 1.0)
        factor.masked_fill_(product.gt(0), larger).masked_fill_(product.lt(0), smaller)
        size = state["step_size"]
        size.mul_(factor).clamp_(least, most)
        grad = grad.masked_fill(product.lt(0), 0)
        param.addcmul_(grad.sign(), size, value=-1)
        state["prev"].copy_(grad)


class ASGD(Optimizer):
    """Gradient descent that averages its parameters (B. Polyak, A. Juditsky, 1992)."""

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
        t0: float = 1e6, weight_decay: float = 0, foreach: Any = None, maximize: bool = False,
        differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, weight_decay=weight_decay)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
            "capturable": capturable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        rate, lambd = float(_number(group["lr"])), group["lambd"]
        if not state:
            state.update(step=_counter(), eta=_scalar(rate), mu=_scalar(1.0), ax=_like(param))
        step = _count(state)
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        eta, mu, mean = state["eta"], state["mu"], state["ax"]
        now = eta.item()
        param.mul_(1 - lambd * now)
        param.add_(grad, alpha=-now)
        if mu.item() != 1:
            mean.add_(param.sub(mean).mul_(mu))
        else:
            mean.copy_(param)
        eta.fill_(rate / ((1 + lambd * rate * step) ** group["alpha"]))
        mu.fill_(1 / max(1, step - group["t0"]))


class Adafactor(Optimizer):
    """Mean squares kept as a row and a column (N. Shazeer, M. Stern, Adafactor, 2018)."""

    def __init__(
        self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0,
        *, foreach: Any = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        require(lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}")
        require(beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None:
            require(eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}")
        require(eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}")
        require(d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}")
        require(weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
            "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state["step"] = _counter()
            if grad.ndim > 1:
                state["row_var"] = grad.new_zeros((*grad.shape[:-1], 1))
                state["col_var"] = grad.new_zeros((*grad.shape[:-2], 1, grad.shape[-1]))
            else:
                state["variance"] = _like(grad)
        step, rate = _count(state), _number(group["lr"])
        first, second = group["eps"]
        if first is None:
            first = float(param._type.xp.finfo(param._type.dtype.numpy).eps)
        size = param.numel() ** 0.5
        length = min(rate, 1 / (step**0.5))
        alpha = max(second, param.norm(2).item() / size) * length
        if group["weight_decay"] != 0:
            param.mul_(1 - rate * group["weight_decay"])
        square = self._mean_square(grad, state, step ** group["beta2_decay"], first)
        update = square.clamp_(min=first * first).rsqrt_()
        update.mul_(grad)
        clip = max(1.0, update.norm(2).item() / ((update.numel() ** 0.5) * group["d"]))
        param.add_(update, alpha=-alpha / clip)

    def _mean_square(self, grad: Any, state: State, share: float, eps: float) -> Any:
        if grad.ndim < 2:
            state["variance"].lerp_(grad.square(), share)
            return state["variance"].clone()
        row, column = state["row_var"], state["col_var"]
        norm = Spaces.recorded.linalg_vector_norm
        row.lerp_(norm(grad, 2, (-1,), True).square_().div_(grad.shape[-1]), share)
        column.lerp_(norm(grad, 2, (-2,), True).square_().div_(grad.shape[-2]), share)
        square = row @ column
        return square.div_(row.mean(dim=-2, keepdim=True).clamp_(min=eps))
