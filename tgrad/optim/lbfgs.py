"""L-BFGS: steps along an estimate of the inverse Hessian from the last gradients.

J. Nocedal, Updating Quasi-Newton Matrices with Limited Storage, 1980; the two loops over the history
are algorithm 7.4 of J. Nocedal, S. Wright, Numerical Optimization.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tgrad.core.engine import Spaces
from tgrad.core.modes import enable_grad, no_grad
from tgrad.errors import ArgumentError, ArgumentValueError, StateError
from tgrad.optim.line_search import strong_wolfe
from tgrad.optim.optimizer import Optimizer, check_positive


class LBFGS(Optimizer):
    """Limited-memory BFGS; `step(closure)` calls the closure several times."""

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_positive(lr=lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
            "history_size": history_size, "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ArgumentValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Any]:
        return self.param_groups[0]["params"]  # type: ignore[no-any-return]

    def _gradient(self) -> Any:
        """All gradients in one vector."""
        o = Spaces.recorded
        parts = [
            o.zeros_of((p.numel(),), p._type) if p._grad is None else p._grad.detach().reshape(-1)
            for p in self._params
        ]
        return o.cat(tuple(parts), 0)

    def _move(self, distance: Any, direction: Any) -> None:
        """Add `distance` times the direction to the parameters."""
        at = 0
        for p in self._params:
            size = p.numel()
            p.add_(direction[at : at + size].view_as(p), alpha=_number(distance))
            at += size

    def _evaluate(self, closure: Callable[[], Any]) -> tuple[float, Any]:
        with enable_grad():
            loss = float(closure())
        return loss, self._gradient()

    def _try(
        self, closure: Callable[[], Any], start: list[Any], distance: Any, direction: Any
    ) -> tuple[float, Any]:
        """Loss and gradient some way from the start, to which the parameters return."""
        self._move(distance, direction)
        loss, gradient = self._evaluate(closure)
        for p, value in zip(self._params, start, strict=True):
            p.copy_(value)
        return loss, gradient

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` iterations; returns the loss before them."""
        if closure is None:
            raise ArgumentError("LBFGS.step() missing 1 required positional argument: 'closure'")
        with no_grad():
            return self._iterate(closure)

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        rate = _number(group["lr"])
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first = closure()
        loss, evaluations = float(first), 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if float(gradient.abs().max()) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = state["d"] = self._direction(state, gradient, group["history_size"])
            state["prev_flat_grad"] = gradient.clone()
            before = state["prev_loss"] = loss
            distance: Any = rate
            if state["n_iter"] == 1:
                distance = _smaller(1.0 / gradient.abs().sum()) * rate
            state["t"] = distance
            slope = gradient.dot(direction)
            if slope.item() > -group["tolerance_change"]:
                break
            if group["line_search_fn"] is not None:
                loss, gradient, distance, calls = self._search(
                    closure, distance, direction, loss, gradient, slope,
                    group["max_eval"] - evaluations,
                )  # fmt: skip
                state["t"] = distance
            self._move(distance, direction)
            if group["line_search_fn"] is None:
                calls = 0
                if iteration != group["max_iter"]:
                    loss, gradient = self._evaluate(closure)
                    calls = 1
            evaluations += calls
            state["func_evals"] += calls
            change = float(direction.mul(distance).abs().max())
            if evaluations >= group["max_eval"] or self._settled(gradient, change, loss - before):
                break
        return first

    def _settled(self, gradient: Any, change: float, gain: float) -> bool:
        """Whether the gradient, the step or the change of the loss is small enough to end."""
        group = self.param_groups[0]
        least: float = group["tolerance_change"]
        flat: float = group["tolerance_grad"]
        return float(gradient.abs().max()) <= flat or change <= least or abs(gain) < least

    def _search(
        self, closure: Callable[[], Any], distance: Any, direction: Any, loss: float,
        gradient: Any, slope: Any, calls: int,
    ) -> tuple[float, Any, Any, int]:  # fmt: skip
        name = self.param_groups[0]["line_search_fn"]
        if name != "strong_wolfe":
            raise StateError("only 'strong_wolfe' is supported")
        start = [p.clone() for p in self._params]
        return strong_wolfe(
            lambda t: self._try(closure, start, t, direction),
            distance,
            direction,
            loss,
            gradient,
            slope,
            calls,
        )

    def _direction(self, state: dict[str, Any], gradient: Any, history: int) -> Any:
        """Minus the estimated inverse Hessian times the gradient; keeps the history."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return gradient.neg()
        changes, steps, factors = state["old_dirs"], state["old_stps"], state["ro"]
        y = gradient.sub(state["prev_flat_grad"])
        s = state["d"].mul(state["t"])
        product = y.dot(s)
        if product.item() > 1e-10:
            if len(changes) == history:
                for old in (changes, steps, factors):
                    old.pop(0)
            changes.append(y)
            steps.append(s)
            factors.append(1.0 / product)
            state["H_diag"] = product / y.dot(y)
        weights: list[Any] = [None] * len(changes)
        q = gradient.neg()
        for i in reversed(range(len(changes))):
            weights[i] = steps[i].dot(q) * factors[i]
            q.add_(changes[i], alpha=-weights[i].item())
        q = q.mul(state["H_diag"])
        for i in range(len(changes)):
            q.add_(steps[i], alpha=(weights[i] - changes[i].dot(q) * factors[i]).item())
        return q


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _smaller(value: Any) -> Any:
    """The value, but at most 1."""
    return value if value.item() < 1.0 else 1.0
