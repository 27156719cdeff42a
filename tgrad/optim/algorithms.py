"""The optimisers.  Each update does the arithmetic of PyTorch's, step by step, in the same order."""

from __future__ import annotations

import math
from typing import Any

from tgrad.core.device import CPU, tensor_type
from tgrad.core.dtype import float32
from tgrad.core.tensor import Tensor, new_tensor
from tgrad.errors import NotAvailableError
from tgrad.optim.arithmetic import change
from tgrad.optim.optimizer import Group, Optimizer, check_betas, check_positive, require

State = dict[str, Any]


def _counter() -> Tensor:
    """The number of steps so far, which PyTorch keeps in a tensor."""
    type_ = tensor_type(float32, CPU)
    return new_tensor(type_.xp.zeros((), float32.numpy), type_)


def _count(state: State) -> float:
    step = state["step"]
    step._array.fill(step._array.item() + 1)
    step.bump_version()
    return float(step._array.item())


def _like(param: Any, value: float = 0.0) -> Any:
    type_ = param._type
    return new_tensor(type_.xp.full(param._array.shape, value, type_.dtype.numpy), type_)


def _plain(**options: Any) -> None:
    for name, value in options.items():
        if value:
            raise NotAvailableError(f"optim: {name}=True is not available in tgrad: leave it out")


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov momentum and weight decay.

    The velocity is v = momentum * v + (1 - dampening) * g, the parameter p = p - lr * v
    (I. Sutskever et al., On the importance of initialization and momentum, 2013, but for the place of
    the learning rate).
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
        foreach: Any = None, differentiable: bool = False, fused: Any = None,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, momentum=momentum, weight_decay=weight_decay)
        _plain(differentiable=differentiable)
        require(
            not nesterov or (momentum > 0 and dampening == 0),
            "Nesterov momentum requires a momentum and zero dampening",
        )
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def state_of(self, param: Tensor) -> State:
        """The velocity, where there is momentum."""
        return self.state.get(param, {})

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        momentum, decay = group["momentum"], group["weight_decay"]
        velocity, begins = None, False
        if momentum != 0:
            velocity = state.get("momentum_buffer")
            begins = velocity is None
            if begins:
                velocity = (grad.add(param, alpha=decay) if decay != 0 else grad).clone()
                self.state[param]["momentum_buffer"] = velocity
        change(
            _descend, param, grad, velocity, rate=_number(group["lr"]), momentum=momentum, decay=decay,
            kept=1 - group["dampening"], nesterov=group["nesterov"], begins=begins,
        )  # fmt: skip


def _descend(
    o: Any, param: Any, grad: Any, velocity: Any, *, rate: float, momentum: float, decay: float,
    kept: float, nesterov: bool, begins: bool,
) -> tuple[int, ...]:  # fmt: skip
    """A step of SGD; `begins` where the velocity is already the gradient, the first one."""
    if decay != 0:
        grad = o.add(grad, param, alpha=decay)
    if velocity is None:
        o.add_(param, grad, alpha=-rate)
        return 1, 0, 0
    if not begins:
        o.mul_(velocity, momentum)
        if kept == 1:
            o.add_(velocity, grad)
        else:
            o.add_(velocity, grad, alpha=kept)
    o.add_(param, o.add(grad, velocity, alpha=momentum) if nesterov else velocity, alpha=-rate)
    return 1, 0, 0 if begins else 2


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    D. Kingma, J. Ba, Adam: A Method for Stochastic Optimization, 2015; with `amsgrad` the largest
    mean square so far (S. Reddi et al., On the Convergence of Adam and Beyond, 2018).
    """

    decoupled = False

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        foreach: Any = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False, fused: Any = None, decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state.update(step=_counter(), exp_avg=_like(param), exp_avg_sq=_like(param))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = _like(param)
        step = _count(state)
        beta1, beta2 = group["betas"]
        rate = _number(group["lr"])
        change(
            _adapt, param, grad, state["exp_avg"], state["exp_avg_sq"],
            state["max_exp_avg_sq"] if group["amsgrad"] else None,
            rate=rate, betas=(beta1, beta2), eps=group["eps"], decay=group["weight_decay"],
            decoupled=group["decoupled_weight_decay"],
            scale=math.sqrt(1 - beta2**step), step_size=rate / (1 - beta1**step),
        )  # fmt: skip


def _adapt(
    o: Any, param: Any, grad: Any, mean: Any, square: Any, largest: Any, *, rate: float,
    betas: tuple[float, float], eps: float, decay: float, decoupled: bool, scale: float, step_size: float,
) -> tuple[int, ...]:  # fmt: skip
    """A step of Adam; `scale` and `step_size` make up for means that began at zero."""
    writes = 1
    if decay != 0:
        if decoupled:
            o.mul_(param, 1 - rate * decay)
            writes = 2
        else:
            grad = o.add(grad, param, alpha=decay)
    beta1, beta2 = betas
    o.lerp_Scalar_(mean, grad, 1 - beta1)
    o.mul_(square, beta2)
    o.addcmul_(square, grad, grad, value=1 - beta2)
    if largest is not None:
        o.maximum_(largest, square)
    root = o.sqrt(square if largest is None else largest)
    o.addcdiv_(param, mean, o.add(o.div(root, scale), eps), value=-step_size)
    return writes, 0, 1, 2, 0 if largest is None else 1


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (I. Loshchilov, F. Hutter, 2019)."""

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
        maximize: bool = False, foreach: Any = None, capturable: bool = False,
        differentiable: bool = False, fused: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of the squared gradient (G. Hinton, 2012)."""

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False,
        capturable: bool = False, foreach: Any = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state.update(step=_counter(), square_avg=_like(param))
            if group["momentum"] > 0:
                state["momentum_buffer"] = _like(param)
            if group["centered"]:
                state["grad_avg"] = _like(param)
        state["step"] += 1
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        square, alpha = state["square_avg"], group["alpha"]
        square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            root = square.addcmul(mean, mean, value=-1).sqrt_()
        else:
            root = square.sqrt()
        root.add_(group["eps"])
        rate = _number(group["lr"])
        if group["momentum"] > 0:
            velocity = state["momentum_buffer"]
            velocity.mul_(group["momentum"]).addcdiv_(grad, root)
            param.add_(velocity, alpha=-rate)
        else:
            param.addcdiv_(grad, root, value=-rate)


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients (J. Duchi et al., 2011)."""

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: Any = None, *,
        maximize: bool = False, differentiable: bool = False, fused: Any = None,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
                       initial_accumulator_value=initial_accumulator_value, eps=eps)  # fmt: skip
        _plain(differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        for group in self.param_groups:
            for param in group["params"]:
                start = group["initial_accumulator_value"]
                self.state[param].update(step=_counter(), sum=_like(param, start))

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        step = _count(state)
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        rate = _number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        total = state["sum"]
        total.addcmul_(grad, grad, value=1)
        param.addcdiv_(grad, total.sqrt().add_(group["eps"]), value=-rate)


class Adadelta(Optimizer):
    """Steps from running means of squared gradients and squared steps (M. Zeiler, 2012)."""

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, foreach: Any = None, *, capturable: bool = False,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr)
        require(0.0 <= rho <= 1.0, f"Invalid rho value: {rho}")
        check_positive(eps=eps, weight_decay=weight_decay)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state.update(step=_counter(), square_avg=_like(param), acc_delta=_like(param))
        state["step"] += 1
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        rho, eps = group["rho"], group["eps"]
        square, steps = state["square_avg"], state["acc_delta"]
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = steps.add(eps).sqrt_()
        delta.div_(square.add(eps).sqrt_()).mul_(grad)
        steps.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        param.add_(delta, alpha=-_number(group["lr"]))


class Adamax(Optimizer):
    """Adam with the largest, decaying gradient in place of the mean square (D. Kingma, J. Ba)."""

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, foreach: Any = None, *,
        maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        check_positive(lr=lr, eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay)
        _plain(differentiable=differentiable, capturable=capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, param: Any, grad: Any, state: State, group: Group) -> None:
        """One step for one parameter."""
        if not state:
            state.update(step=_counter(), exp_avg=_like(param), exp_inf=_like(param))
        step = _count(state)
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        beta1, beta2 = group["betas"]
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean.lerp_(grad, 1 - beta1)
        largest.copy_(largest.mul(beta2).maximum(grad.abs().add_(group["eps"])))
        param.addcdiv_(mean, largest, value=-(_number(group["lr"]) / (1 - beta1**step)))
