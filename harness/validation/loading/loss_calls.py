"""How a NumPy function or method is called that has its loss inside, as models of characters have it.

Such code takes tokens, targets and a state, and gives a loss, the gradients of its weights and the last state; its
weights are attributes of its object, globals of its module, or arguments too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.options import Keywords
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.loss_function import COMPUTES_A_LOSS, LossNumbers, LossValues
from rnn_harness.validation.loading.adapters.handwritten.argument_names import (
    gradient_stems,
    required_arguments,
    role_of,
)
from rnn_harness.validation.loading.adapters.handwritten.messages import computes_a_loss
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import (
    copy_with_arrays,
    stored_arrays,
)
from rnn_harness.validation.loading.adapters.inferred_weights.size_terms import INFERENCE_SIZES
from rnn_harness.validation.loading.adapters.parameter_trees import tree_with_leaves
from rnn_harness.validation.loading.loss_forms import LossForm
from rnn_harness.validation.loading.loss_weights import FIRST_TOKENS, WeightTrees

LossRole = Literal["x", "target", "state", "weights", "input size", "hidden size", "all sizes"]


class LossArgument(NamedTuple):
    """An argument of a loss.

    Attributes:
        name: How the function calls it.
        role: What it takes.
    """

    name: str
    role: LossRole


@dataclass(frozen=True)
class LossCall:
    """A loss, and how it is called.

    Attributes:
        name: What it is called.
        function: The function, or the method of a class without its object.
        holder: The object of a method; None of a function, whose weights are arguments, or globals of its module.
        parameters: Its weights, by path or name.
        arguments: What is handed over.
        weights: The weights that are arguments, as they are handed over; none where all weights are kept elsewhere.
        state_shapes: The shape of each state.
        form: How its inputs and targets go in.
        adds_up: Whether the losses of pieces must give that of all steps.
        result: What its gradients are the slopes of, in a word.
        gives: What it gives.
        steps: As in `LossFunction`.
        sizes: What an argument takes that says all sizes at once.
        result_names: What it returns is called; empty where its return statement says that.
    """

    name: str
    function: Callable[..., Any]
    holder: object
    parameters: Mapping[str, Array]
    arguments: tuple[LossArgument, ...]
    weights: WeightTrees = field(default_factory=dict)
    state_shapes: tuple[tuple[int, ...], ...] = ()
    form: LossForm = field(default_factory=LossForm)
    adds_up: bool = True
    result: str = "loss"
    gives: str = COMPUTES_A_LOSS
    steps: int = 0
    result_names: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Its name and arguments."""
        return f"{self.name}({', '.join(argument.name for argument in self.arguments)})"

    @property
    def cannot_be_driven(self) -> str:
        """Why it is no cell."""
        arguments = [argument.name for argument in required_arguments(self.function)]
        return computes_a_loss(self.name, arguments)

    @functools.cached_property
    def _result_names(self) -> tuple[str, ...]:
        """What its return statement calls what it returns."""
        return self.result_names or returned_names(self.function)

    def run(self, numbers: LossNumbers) -> LossValues:
        """Call it on copies of everything, as `LossFunction.run` says."""
        copies = {name: np.array(value) for name, value in numbers.parameters.items()}
        weights: Any = tree_with_leaves(self.weights, copies) if self.weights else {}
        values = self._values(weights, numbers.tokens, numbers.targets, numbers.states)
        if self.holder is not None:
            result, object_arrays = self._call_in_object(copies, values)
        elif self.weights:
            result, object_arrays = call_target(self.function, **values), {}
        else:
            result, object_arrays = self._call(copies, values)
        return self._read(result, object_arrays)

    def loss_of_weights(self, weights: WeightTrees) -> float:
        """Call it once with these weights, for its loss alone.

        Args:
            weights: What its arguments take that are weights.

        Raises:
            ValueError: No loss came back.
        """
        states = tuple(np.full(shape, _FIRST_STATE) for shape in self.state_shapes)
        targets = (2, 1, 0, 1)
        values = self._values(weights, FIRST_TOKENS, targets, states)
        return self._loss(call_target(self.function, **values))

    def _values(
        self, weights: WeightTrees, inputs: tuple[int, ...], targets: tuple[int, ...], states: tuple[Array, ...]
    ) -> Keywords:
        """The arguments of a call by name."""
        remaining = iter([state.copy() for state in states])
        values: dict[str, object] = {}
        for argument in self.arguments:
            match argument.role:
                case "x":
                    values[argument.name] = self.form.laid_out_inputs(inputs)
                case "target":
                    values[argument.name] = self.form.laid_out_targets(targets)
                case "state":
                    values[argument.name] = next(remaining)
                case "weights":
                    values[argument.name] = weights[argument.name]
                case "all sizes":
                    values[argument.name] = self.sizes
                case "input size":
                    values[argument.name] = INFERENCE_SIZES.input_size
                case "hidden size":
                    widths = [max(shape) for shape in self.state_shapes if shape]
                    values[argument.name] = widths[0] if widths else INFERENCE_SIZES.hidden_size
        return values

    def _call_in_object(self, parameters: Mapping[str, Array], values: Keywords) -> tuple[Any, Mapping[str, Array]]:
        """Call the method of a copy of its object, and list the arrays that the copy has then."""
        holder_arrays = stored_arrays(self.holder)
        copied = copy_with_arrays(self.holder, {id(holder_arrays[name]): value for name, value in parameters.items()})
        result = call_target(self.function, copied, **values)
        return result, stored_arrays(copied)

    def _call(self, parameters: Mapping[str, Array], values: Keywords) -> tuple[Any, Mapping[str, Array]]:
        """Call the function with other globals in its module, which are put back; gradients there begin at zero."""
        module = self.function.__globals__
        gradients = {
            name: np.zeros_like(value)
            for name, value in module.items()
            if isinstance(value, np.ndarray) and name not in parameters and self._parameter_of(name, value.shape)
        }
        before = {name: module[name] for name in (*parameters, *gradients)}
        try:
            module.update({**parameters, **gradients})
            result = call_target(self.function, **values)
            return result, {name: module[name].copy() for name in gradients if np.any(module[name])}
        finally:
            module.update(before)

    def _loss(self, result: Any) -> float:
        """The first number that came back."""
        scalars = [value for _, value in _named_parts(result, self._result_names) if value.size == 1]
        if not scalars:
            raise ValueError("it gives no loss")
        return float(scalars[0].reshape(()))

    def _read(self, result: Any, object_arrays: Mapping[str, Array]) -> LossValues:
        """Tell loss, gradients and states apart among what came back."""
        loss = self._loss(result)
        gradients, result = self._listed_gradients(result)
        parts = list(_named_parts(result, self._result_names))
        unmatched: list[Array] = []
        for name, value in parts:
            parameter = self._parameter_of(name, value.shape)
            if parameter:
                gradients[parameter] = value
            elif not name or role_of(name.rpartition("/")[2]) in ("h", "c") or name.lower() in _LAST:
                unmatched.append(value)
        for path, value in object_arrays.items():
            parameter = self._parameter_of(path, value.shape) if path not in self.parameters else ""
            if parameter:
                gradients.setdefault(parameter, value)
        if len(self.parameters) == 1:  # a flat vector: its gradient needs no name
            ((name, vector),) = self.parameters.items()
            fitting = [value for _, value in parts if value.shape == vector.shape and vector.ndim]
            gradients |= {name: fitting[0]} if len(fitting) == 1 else {}
        if not gradients:
            raise ValueError("it gives no gradient of any parameter")
        states: list[Array] = []
        for shape, count in {shape: self.state_shapes.count(shape) for shape in self.state_shapes}.items():
            fitting = [value for value in unmatched if value.shape == shape]
            states += fitting if len(fitting) == count else []
        return LossValues(loss, gradients, tuple(states))

    def _listed_gradients(self, result: Any) -> tuple[dict[str, Array], Any]:
        """The gradients that come back in a list of their own, in the order of the parameters; what else came back."""
        shapes = [value.shape for value in self.parameters.values()]
        for place, part in enumerate(result) if isinstance(result, tuple | list) else ():
            if isinstance(part, tuple | list) and [np.shape(value) for value in part] == shapes:
                gradients = dict(zip(self.parameters, map(np.asarray, part), strict=True))
                return gradients, [() if place == index else value for index, value in enumerate(result)]
        return {}, result

    def _parameter_of(self, name: str, shape: tuple[int, ...]) -> str:
        """The parameter that an array of that name and shape is the gradient of; empty if it is of none."""
        last = name.rpartition("/")[2]
        is_named_so = any(part.lower().strip("_") in _GRADIENT_HOLDERS for part in name.split("/")[:-1])
        stems = [stem.lower().strip("_") for stem in gradient_stems(last)]
        for parameter, value in self.parameters.items():
            own_name = parameter.rpartition("/")[2].lower().strip("_")
            if value.shape == shape and own_name in (stems if is_named_so else stems[:-1]):
                return parameter
        return ""


_FIRST_STATE = 0.1
_LAST = frozenset(("last", "final", "new", "next", "prev"))
"""What a state is called by the step that it is of, and by no letter."""
_GRADIENT_HOLDERS = frozenset(("grads", "gradients", "grad", "g", "d", "dparams"))


def _named_parts(result: Any, names: tuple[str, ...], prefix: str = "") -> Iterator[tuple[str, Array]]:
    """List the numbers and arrays that came back, with what they are called; entries of a dictionary are gradients."""
    if isinstance(result, tuple | list):
        fitting = names if len(names) == len(result) else ("",) * len(result)
        for name, part in zip(fitting, result, strict=True):
            own_name = () if isinstance(part, tuple | list) else (name,)
            yield from _named_parts(part, own_name, prefix)
    elif isinstance(result, Mapping):
        for key, part in result.items():
            yield from _named_parts(part, (str(key),), "grads/")
    elif isinstance(result, int | float | np.number | np.ndarray) and not isinstance(result, bool):
        yield f"{prefix}{names[0] if names else ''}", np.asarray(result, float)
