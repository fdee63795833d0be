"""A network of NumPy with a backward of its own, whose outputs are no states: how it is called, and what it gives.

Coursework has it: ``forward(X)`` gives scores of every step, or of the last one, or the states of a second layer, and
``backward(dY)`` leaves the gradients of all weights behind. The loss is the sum of the outputs times numbers that are
drawn, or what the method ``loss`` of the network gives for a target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.loss_function import LossNumbers, LossValues
from rnn_harness.validation.loading.adapters.handwritten.argument_names import base_name, gradient_stems
from rnn_harness.validation.loading.adapters.handwritten.forward_way import result_entries
from rnn_harness.validation.loading.adapters.handwritten.gradient_entries import GradientEntry, gradient_entries
from rnn_harness.validation.loading.adapters.handwritten.returned_names import returned_names
from rnn_harness.validation.loading.adapters.handwritten.stored_arrays import copy_with_arrays, stored_arrays
from rnn_harness.validation.loading.network_losses import (
    NetworkLoss,
    NetworkRole,
    TargetForm,
    drawn_target,
    laid_out_like,
)

_SMALL = 1 / 16
"""How large cotangents are: few gradients are clipped then."""
INPUT = "the input"
"""What the input is called among the arrays of which gradients are judged."""
COTANGENT_TAKEN = NetworkLoss("", (), ("cotangent",))
"""Backward takes the cotangent of the outputs, and nothing gives a loss."""
STEPS, ROWS = 4, 7
"""The sizes of the input's further axes, which differ from each other."""
OTHER_LENGTHS = (STEPS, ROWS)
INITIAL_STATES = "initial states"
"""Where the object of a pair of functions keeps the states that its forward starts from."""


@dataclass(frozen=True)
class NetworkCall:
    """A network with a backward of its own, and how it is called.

    Attributes:
        name: What it is called.
        holder: The object.
        forward: The name of its forward method.
        backward: The name of its backward method.
        parameters: Its weights by path, and its input where its backward gives the gradient of that.
        input: The input where it is not among the parameters.
        is_listed: Whether the input goes in as a list of steps.
        takes_tokens: Whether the input is a list of tokens, so that no gradient of it is asked for.
        loss: The method that gives the loss, and what it and backward take.
        target: How a target is given.
        of_last: Whether backward takes the cotangent of the last step's outputs alone.
        rate: The argument of backward that is a learning rate, where backward takes a step of gradient descent itself;
            the step is the gradient then.
        descends: Whether its backward has optimisers take a step of gradient descent, which is the gradient then.
        state_shapes: None: what it does with states is its own affair.
        adds_up: False: its outputs are no losses.
        result: What its gradients are the slopes of, in a word.
        gives: What it gives.
        steps: Its input says how many there are.
        shown: What a message calls it; empty for its name and methods.
    """

    name: str
    holder: object
    forward: str
    backward: str
    parameters: Mapping[str, Array]
    input: Array
    is_listed: bool = False
    takes_tokens: bool = False
    loss: NetworkLoss = COTANGENT_TAKEN
    target: TargetForm = "numbers"
    rate: str = ""
    descends: bool = False
    of_last: bool = False
    state_shapes: tuple[tuple[int, ...], ...] = ()
    adds_up: bool = False
    result: str = "outputs"
    gives: str = "gives outputs that are no states"
    steps: int = 0
    shown: str = ""

    @property
    def text(self) -> str:
        """Its name and methods."""
        return self.shown or f"{self.name}, {self.forward} and {self.backward}"

    @property
    def cannot_be_driven(self) -> str:
        """Why it is no cell."""
        return f"cannot drive {self.text}: it {self.gives}, so that its gradients alone can be judged"

    def outputs(self, numbers: LossNumbers) -> Array:
        """Call forward alone.

        Args:
            numbers: All of its weights, and its input.

        Raises:
            ValueError: No numbers came back.
        """
        holder, taken = self._copied(numbers)
        return _as_array(call_target(member(holder, self.forward), taken))

    def run(self, numbers: LossNumbers) -> LossValues:
        """Call it on copies of everything, as `LossFunction.run` says; states are not used."""
        parameters = numbers.parameters
        holder, taken = self._copied(numbers)
        result = _without_states(call_target(member(holder, self.forward), taken))
        outputs = _as_array(result)
        drawn = drawn_target(outputs, self.target, np.random.default_rng(numbers.targets), OTHER_LENGTHS)
        if not self.loss.name:
            drawn *= _SMALL
        laid_out = drawn[-1] if self.of_last else laid_out_like(drawn, result)
        values: dict[NetworkRole, Any] = {"x": taken, "outputs": result, "target": laid_out, "cotangent": laid_out}
        if self.loss.name:
            # What takes the inputs runs forward itself; of outputs it may keep what backward reads.
            loss_of = member(self._copied(numbers)[0] if "x" in self.loss.takes else holder, self.loss.name)
            number = call_target(loss_of, *(values[role] for role in self.loss.takes))
            loss = float(np.asarray(number).reshape(()))
        else:
            loss = float((outputs[-1] * drawn[-1] if self.of_last else outputs * drawn).sum())
        before = {path: value.copy() for path, value in stored_arrays(holder).items()}
        backward = member(holder, self.backward)
        handed_back = [values[role] for role in self.loss.backward_takes]
        returned = call_target(backward, *handed_back, **({self.rate: 1.0} if self.rate else {}))
        after = stored_arrays(holder)
        entries = gradient_entries(returned, before, after, returned_names(backward))
        gradients = {name: value for name in parameters if (value := self._gradient(name, entries)) is not None}
        if self.rate:
            gradients = _steps(before, after, parameters)
        if self.descends:
            of_input = {INPUT: gradients[INPUT]} if INPUT in gradients else {}
            gradients = {**_steps(before, after, parameters), **of_input}
        if not set(gradients) - {INPUT}:
            raise ValueError("it gives no gradient of any weight")
        return LossValues(loss, gradients, ())

    def _copied(self, numbers: LossNumbers) -> tuple[object, object]:
        """A copy of the object with these weights, and the input as it takes it."""
        own, parameters = stored_arrays(self.holder), numbers.parameters
        weights = {id(own[name]): value.copy() for name, value in parameters.items() if name != INPUT}
        copied = copy_with_arrays(self.holder, weights)
        if self.takes_tokens:
            return copied, list(numbers.tokens)
        x = parameters.get(INPUT, self.input).copy()
        return copied, list(x) if self.is_listed else x

    def _gradient(self, name: str, entries: Sequence[GradientEntry]) -> Array | None:
        """The gradient of a weight, or of the input; None where its name or its place says of none that it is one."""
        shape = self.parameters[name].shape
        fitting = [entry for entry in entries if entry.value.shape == shape and entry.key.origin != "increase"]
        if name == INPUT:
            returned = [entry.value for entry in fitting if entry.is_returned and not self._is_of_weight(entry)]
            return returned[0] if len(returned) == 1 else None
        named = next((entry.value for entry in fitting if self._is_gradient_of(entry, name)), None)
        if named is None and name.startswith(f"{INITIAL_STATES}/"):  # nothing else may have its shape and no name
            unnamed = [entry.value for entry in fitting if entry.is_returned and not entry.name]
            return unnamed[0] if len(unnamed) == 1 else None
        return named

    def _is_of_weight(self, entry: GradientEntry) -> bool:
        """Whether an entry is the gradient of any weight."""
        return any(self._is_gradient_of(entry, name) for name in self.parameters if name != INPUT)

    def _is_gradient_of(self, entry: GradientEntry, path: str) -> bool:
        """Whether an entry has the name of the gradient of a weight, or the same place in a list of gradients."""
        holder, _, last = path.rpartition("/")
        if entry.name.isdigit() or last.isdigit():
            is_other_list = entry.key.path[:-1] != tuple(holder.split("/"))
            return entry.name == last and is_other_list and len(entry.key.path) == path.count("/") + 1
        stems = [stem.lower().strip("_") for stem in gradient_stems(entry.name)]
        if holder == INITIAL_STATES:  # ``dh`` and ``dh_prev`` are gradients of ``h0``
            return entry.is_returned and base_name(last) in map(base_name, stems[:-1])
        return last.lower().strip("_") in (stems if entry.in_container else stems[:-1])


def _steps(before: Mapping[str, Array], after: Mapping[str, Array], names: Iterable[str]) -> dict[str, Array]:
    """By how much each weight was lessened; a bound to which gradients are clipped has lost its last digits."""
    steps = {name: before[name] - after[name] for name in names if name in before and name in after}
    rounded = {name: np.round(step, _DIGITS) for name, step in steps.items()}
    return {
        name: np.where(np.abs(step - rounded[name]) <= 2 * np.spacing(np.abs(before[name])), rounded[name], step)
        for name, step in steps.items()
        if step.any()
    }


_DIGITS = 6
"""Digits of a bound of gradients."""


def _without_states(result: object) -> object:
    """What forward gives, without the states or the cache behind its outputs."""
    return result[0] if isinstance(result, tuple) and result else result


def _as_array(result: object) -> Array:
    """The outputs among what forward gives: the first of a tuple; a list of steps as one array.

    Raises:
        ValueError: They are no numbers.
    """
    outputs = result_entries(_without_states(result)).get(())
    if outputs is None or outputs.dtype.kind != "f" or not outputs.size or not np.isfinite(outputs).all():
        raise ValueError("its outputs are no finite numbers")
    return outputs
