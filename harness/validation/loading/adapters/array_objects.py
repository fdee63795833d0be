"""Objects that keep their parameters in arrays of their own: NumPy classes, with a hand-written backward or without.

Dimension legend: B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule, Pullback
from rnn_harness.validation.loading.adapters.own_backward import Backward, method_of

FORWARD = ("forward", "step", "forward_step", "__call__", "call", "predict")
BACKWARD = ("backward", "backward_step", "step_backward", "bprop", "grad")


def shown(found: Any) -> list[Array]:
    """The arrays that a call gives back: those of a tuple, and of a pair inside it; caches are left out."""
    if isinstance(found, np.ndarray):
        return [found]
    rows: list[Array] = []
    for one in found if isinstance(found, tuple | list) else ():
        if isinstance(one, np.ndarray):
            rows.append(one)
        elif isinstance(one, tuple | list) and len(one) == 2 and all(isinstance(part, np.ndarray) for part in one):
            rows += [*one] if one[0].shape == one[1].shape else []
    if not rows:
        raise TypeError(f"it gives back a {type(found).__name__}; expected arrays")
    return rows


def parameters_of(module: Any) -> dict[str, Array]:
    """ArrayObjectAdapter of floats among the attributes, and in dictionaries among them (``params/W``)."""
    found: dict[str, Array] = {}
    for name, value in vars(module).items():
        if _is_parameter(value):
            found[name] = value
        elif isinstance(value, dict):
            found |= {f"{name}/{key}": one for key, one in value.items() if _is_parameter(one)}
    gradients = {name for name in found if _is_gradient_of(name, found)}
    return {name: value for name, value in found.items() if name not in gradients}


def _is_parameter(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and 1 <= value.ndim <= 3


def _is_gradient_of(name: str, found: Mapping[str, Array]) -> bool:
    own = name.rpartition("/")[2]
    bare = next((own.removeprefix(p) for p in ("d_", "grad_", "d") if own.startswith(p) and own != p), None)
    others = {one.rpartition("/")[2] for one in found}
    return (bare is not None and bare in others) or (name.startswith(("grads/", "gradients/", "_grads/")))


class ArrayRunner:
    """Calls a method of a fresh copy of an object whose parameters are set first."""

    def __init__(self, module: Any, method: str, n: int, d: int) -> None:
        self.module, self.method = module, method
        self.backward: Backward | None = None
        name = method_of(module, BACKWARD)
        if name is not None:
            self.backward = Backward(name, tuple(parameters_of(module)))

    def fresh(self, parameters: Mapping[str, Array]) -> Any:
        """A copy of the object with those parameters; other arrays, to which gradients may be added, are copied too."""
        one = copy.copy(self.module)
        for name, value in vars(self.module).items():
            if isinstance(value, dict | list | np.ndarray):
                setattr(one, name, _own(value))
        for name, value in parameters.items():
            holder, _, key = name.rpartition("/")
            if holder:
                getattr(one, holder)[key] = value
            else:
                setattr(one, name, value)
        return one

    def __call__(
        self, parameters: Mapping[str, Array], arguments: tuple[Any, ...], differentiate: bool
    ) -> tuple[Sequence[Array], Pullback | None]:
        one = self.fresh(parameters)
        found = getattr(one, self.method)(*arguments)
        rows = shown(found)
        if self.backward is None or not differentiate:
            return rows, None
        backward = self.backward
        return rows, lambda cotangents: backward(one, parameters, arguments, found, rows, cotangents)


def _own(value: Any) -> Any:
    """A copy of an array, or of a dictionary or list with the arrays in it."""
    if isinstance(value, dict):
        return {key: _own(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_own(one) for one in value]
    return value.copy() if isinstance(value, np.ndarray) else value


class ArrayObjectAdapter:
    """Any object with arrays of floats among its attributes and a forward method."""

    name = "numpy"
    options: tuple[str, ...] = ("method",)

    def accepts(self, kind: type) -> bool:
        """Whatever no other adapter claims, if it has a forward method of its own."""
        return any(name in vars(one) for one in kind.__mro__ if one is not object for name in FORWARD)

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """None."""
        return {}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The object's forward method, its arrays as parameters."""
        method = str(options.get("method") or method_of(module, FORWARD) or "")
        if not method or not callable(getattr(module, method, None)):
            known = method or " or ".join(FORWARD)
            raise UsageError(f"{type(module).__name__} has no method {known!r}; name it with --init method=NAME")
        parameters = parameters_of(module)
        if not parameters:
            raise UsageError(
                f"{type(module).__name__} keeps no arrays of floats as attributes: no parameters were found"
            )
        runner = ArrayRunner(module, method, n, d)
        reason = "" if runner.backward is not None else f"{type(module).__name__} has no backward method"
        return DrivenModule(
            ArrayLibraryModule(runner, parameters, not reason),
            TargetCapabilities(no_gradients_reason=reason or None, library="NumPy"),
        )
