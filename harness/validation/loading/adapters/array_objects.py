"""Objects that keep their parameters in NumPy arrays, with a hand-written backward or without."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayArguments, ArrayLibraryModule, ArrayResults
from rnn_harness.validation.loading.adapters.own_backward import ForwardCall, HandWrittenBackward, first_method

FORWARD_METHODS = ("forward", "step", "forward_step", "__call__", "call", "predict")
BACKWARD_METHODS = ("backward", "backward_step", "step_backward", "bprop", "grad")


def arrays_in(result: object) -> list[Array]:
    """The arrays that a call gives back: those of a tuple, and of a pair inside it; caches are left out.

    Raises:
        TypeError: There are none.
    """
    if isinstance(result, np.ndarray):
        return [result]
    arrays: list[Array] = []
    for part in result if isinstance(result, tuple | list) else ():
        if isinstance(part, np.ndarray):
            arrays.append(part)
        elif isinstance(part, tuple | list) and len(part) == 2 and all(isinstance(v, np.ndarray) for v in part):
            arrays += [*part] if part[0].shape == part[1].shape else []
    if not arrays:
        raise TypeError(f"it gives back a {type(result).__name__}; expected arrays")
    return arrays


def parameters_of(cell: object) -> dict[str, Array]:
    """The parameters of an object: arrays of floats among its attributes and in dictionaries there (``params/W``).

    Arrays that are named as the gradient of another are none.
    """
    arrays: dict[str, Array] = {}
    for name, value in vars(cell).items():
        if _may_be_parameter(value):
            arrays[name] = value
        elif isinstance(value, dict):
            arrays |= {f"{name}/{key}": entry for key, entry in value.items() if _may_be_parameter(entry)}
    return {name: value for name, value in arrays.items() if not _is_gradient_name(name, arrays)}


def _may_be_parameter(value: object) -> bool:
    """Whether it is an array of floats with one to three axes."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and 1 <= value.ndim <= 3


def _is_gradient_name(name: str, names: Iterable[str]) -> bool:
    """Whether a name is that of the gradient of another, or stands in a dictionary of gradients."""
    last = name.rpartition("/")[2]
    prefix = next((prefix for prefix in ("d_", "grad_", "d") if last.startswith(prefix) and last != prefix), None)
    last_names = {listed.rpartition("/")[2] for listed in names}
    of_another = prefix is not None and last.removeprefix(prefix) in last_names
    return of_another or name.startswith(("grads/", "gradients/", "_grads/"))


class ArrayObjectFunction:
    """A method of an object as an array function: it is called on a copy whose parameters are set first.

    Attributes:
        cell: The object.
        method: The name of its forward method.
        backward: Its backward method; None if it has none.
    """

    def __init__(self, cell: object, method: str) -> None:
        self.cell, self.method = cell, method
        self.backward: HandWrittenBackward | None = None
        name = first_method(cell, BACKWARD_METHODS)
        if name is not None:
            self.backward = HandWrittenBackward(name, tuple(parameters_of(cell)))

    def copy_with(self, parameters: Mapping[str, Array]) -> object:
        """A copy of the object with these parameters; further arrays, to which gradients may be added, are copied."""
        copied = copy.copy(self.cell)
        for name, value in vars(self.cell).items():
            if isinstance(value, dict | list | np.ndarray):
                setattr(copied, name, _copied(value))
        for name, value in parameters.items():
            holder, _, key = name.rpartition("/")
            if holder:
                vars(copied)[holder][key] = value
            else:
                setattr(copied, name, value)
        return copied

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        """Call the object's method on a copy that holds these parameters."""
        copied = self.copy_with(parameters)
        result = getattr(copied, self.method)(*arguments)
        arrays = arrays_in(result)
        if self.backward is None or not differentiate:
            return ArrayResults(arrays)
        backward, forward = self.backward, ForwardCall(copied, parameters, arguments, result, arrays)
        return ArrayResults(arrays, lambda cotangents: backward(forward, cotangents))


def _copied(value: Any) -> Any:
    """A copy of an array, or of a dictionary or list with the arrays in it; anything else as it is."""
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return value.copy() if isinstance(value, np.ndarray) else value


class ArrayObjectAdapter:
    """Drives any object with arrays of floats among its attributes and a forward method.

    ``--init method=NAME`` names the method.
    """

    name = "numpy"
    options: tuple[str, ...] = ("method",)

    def accepts(self, cell_type: type) -> bool:
        """Whether a class defines or inherits a forward method, `object` aside."""
        return any(name in vars(base) for base in cell_type.__mro__ if base is not object for name in FORWARD_METHODS)

    def defaults(self, cell_type: type) -> Mapping[str, object]:
        """Nothing: the sizes suffice."""
        return {}

    def drive(self, cell: object, n: int, d: int, options: Mapping[str, object]) -> DrivenModule:
        """Drive the object's forward method, with its arrays as parameters."""
        method = str(options.get("method") or first_method(cell, FORWARD_METHODS) or "")
        if not method or not callable(getattr(cell, method, None)):
            known = method or " or ".join(FORWARD_METHODS)
            raise UsageError(f"{type(cell).__name__} has no method {known!r}; name it with --init method=NAME")
        parameters = parameters_of(cell)
        if not parameters:
            raise UsageError(f"{type(cell).__name__} keeps no arrays of floats as attributes: no parameters were found")
        function = ArrayObjectFunction(cell, method)
        reason = None if function.backward is not None else f"{type(cell).__name__} has no backward method"
        return DrivenModule(
            ArrayLibraryModule(function, parameters, differentiable=reason is None),
            TargetCapabilities(no_gradients_reason=reason, library="NumPy"),
        )


def called_method(module: object) -> str | None:
    """The name of the method that a driven module calls; None if it stands for no object with methods."""
    if isinstance(module, ArrayLibraryModule) and isinstance(module.function, ArrayObjectFunction):
        return module.function.method
    return None
