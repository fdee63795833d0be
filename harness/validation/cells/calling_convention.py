"""How a target is called: cell or sequence, which axis is time, where the states go, what comes back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from rnn_harness.options import Keywords
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.axis_order import from_axes, to_axes
from rnn_harness.validation.cells.call_argument import CallArgument, CallSizes
from rnn_harness.validation.cells.state_form import SEPARATE, Merging, StateForm, result_leaves

if TYPE_CHECKING:
    from torch import Tensor

TensorArguments: TypeAlias = "tuple[Tensor | tuple[Tensor, ...], ...]"
"""What a target of another library is called with: tensors, of which two states may stand in one tuple."""
_AXES = {"B": "batch", "T": "time", "n": "features"}
_ROWS = {
    "Tn": ", one row at a time",
    "n": ", one vector at a time",
    "n1": ", one column at a time",
    "nB": ", batch in columns",
    "B1n": ", one agent in each row of the batch",
}


@dataclass(frozen=True)
class CallingConvention:
    """How a target is called, and what of its results is what.

    Axes are written as letters: T steps, B rows, n inputs, d units, 1 an axis of length one; without B, the rows go in
    one at a time.

    Attributes:
        sequence: Whether it is called once for all steps, and not once a step.
        states: The number of state arrays that go in: 0, 1 or 2.
        arguments: Its arguments in order; by default the input, then the states. States beyond `states` are left out.
        state_form: The structure of the argument that holds the states, or of each where there are two.
        input_axes: The axes of the input.
        state_axes: The axes of a state.
        input_form: Whether a sequence goes in as one tensor, as a ``list`` of steps, or ``packed``.
        taken: Which of the results are the output of a sequence (first) and the states, in the order of the arguments.
        merging: Whether the states come back as one tensor.
        listed: Whether the outputs come as a list of steps.
        prefixes: Whether it gives the output of the last step alone, so that every step takes a call of its own.
        output_axes: The axes of the outputs of a sequence; empty where they are as in the input.
        exchanged: Whether two states come back in the other order than they go in.
        averages_gradients: Whether the gradients of its parameters are means over the rows, and not sums.
        output_place: Of a step that gives an output besides its states, the output's place among what comes back.
        other_outputs: The places that may be the output's as well, since no tensor that comes back repeats another.
        reading: The order in which a sequence is read: forward in time (empty), ``backward``, with every output at the
            step whose input was read last, or ``backward, not turned back``, with the outputs in the order of reading.
            The inputs are turned over before a call, and the outputs after it, so that what is driven reads forward.
        wording: How what stands behind the target is called, in words, where that is not how the target is called.
    """

    sequence: bool
    states: int
    arguments: tuple[CallArgument, ...] = ()
    state_form: StateForm = SEPARATE
    input_axes: str = ""
    state_axes: str = "Bd"
    input_form: Literal["tensor", "list", "packed"] = "tensor"
    taken: tuple[int, ...] = ()
    merging: Merging = ""
    listed: bool = False
    prefixes: bool = False
    output_axes: str = ""
    wording: str = ""
    exchanged: bool = False
    averages_gradients: bool = False
    output_place: int | None = None
    other_outputs: tuple[int, ...] = ()
    reading: Literal["", "backward", "backward, not turned back"] = ""

    def __str__(self) -> str:
        means = "; the gradients of its weights are means over the batch, not sums" if self.averages_gradients else ""
        return f"{self.wording or self._in_words()}{means}"

    def _in_words(self) -> str:
        """How it is called, in words."""
        axes = self.axes_of_input
        first = axes.lstrip("1")[0]  # axes of length one have no place in the order
        order = f"{_AXES[first]} first" if "B" in axes else "one row"
        if first in "nB" and axes[-1] == "T":
            order = " by ".join(_AXES[axis] for axis in axes if axis in _AXES)
        how = {"tensor": "", "list": " as a list of steps", "packed": ", packed"}[self.input_form]
        form = f"a sequence, {order}{how}" if self.sequence else "one step"
        state = self.state_form.wording(self.states) if self.states else "no state"
        where = " before the input" if self.states and self.state_first else ""
        rows = _ROWS.get(axes, "")
        extras = [argument.wording for argument in self.arguments if argument.is_extra]
        with_extras = f", with {' and '.join(extras)}" if extras else ""
        direction = ", read backwards in time" if self.reading else ""
        direction += ", the outputs in the order of reading" if "not turned back" in self.reading else ""
        end = ", for the output of the last step alone" if self.prefixes else ""
        order_back = ", which come back in the other order" if self.exchanged else ""
        return f"called with {form}, and {state}{where}{order_back}{rows}{with_extras}{direction}{end}"

    @property
    def axes_of_input(self) -> str:
        """The axes of the input, as one tensor."""
        return self.input_axes or ("TBn" if self.sequence else "Bn")

    @property
    def takes_rows(self) -> bool:
        """Whether a whole batch goes into one call."""
        return "B" in self.axes_of_input

    @property
    def batch_first(self) -> bool:
        """Whether sequences are (B, T, n)."""
        return self.sequence and self.axes_of_input == "BTn"

    @functools.cached_property
    def handed_over(self) -> tuple[CallArgument, ...]:
        """The arguments of a call, without states that there are not."""
        return tuple(argument for argument in self.arguments or self._usual() if self._is_given(argument))

    def _usual(self) -> tuple[CallArgument, ...]:
        """The input, then the states."""
        if self.states == 2 and self.state_form == SEPARATE:
            return CallArgument("input"), CallArgument("first state"), CallArgument("second state")
        return CallArgument("input"), CallArgument("states")

    def _is_given(self, argument: CallArgument) -> bool:
        """Say whether there are enough states for an argument."""
        needed = {"states": 1, "first state": 1, "second state": 2}.get(argument.role, 0)
        return self.states >= needed

    @property
    def state_first(self) -> bool:
        """Whether the first argument is a state."""
        return self.handed_over[0].role in ("states", "first state")

    @property
    def packed(self) -> bool:
        """Whether two states go in as one argument."""
        return any(argument.role == "states" for argument in self.handed_over) and self.states == 2

    def without(self, names: Iterable[str]) -> CallingConvention:
        """Return the convention without the arguments of these names, so that others can take their places.

        Args:
            names: Names of arguments that are left out of the call.
        """
        left_out = set(names)
        kept = (argument for argument in self.handed_over if argument.name not in left_out)
        return replace(self, arguments=tuple(replace(argument, by_name=bool(argument.name)) for argument in kept))

    def call(
        self, target: Callable[..., object], x: Tensor, states: list[Tensor]
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Call a target.

        Args:
            target: What is called.
            x: The inputs: (T, B, n) of a sequence, (B, n) of a step.
            states: The states (B, d).

        Returns:
            The outputs (T, B, d) of a sequence; of a step, the output (B, d) that it gives besides its states, or
            None; and the states (B, d) that came back.
        """
        if self.prefixes:
            return self._call_on_prefixes(target, x, states)
        if self.takes_rows:
            return self.read(self.results(target, x, states), CallSizes(len(x) if self.sequence else 1, x.shape[-2]))
        return self._call_on_rows(target, x, states)

    def _call_on_prefixes(
        self, target: Callable[..., object], x: Tensor, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Call it on the first step, the first two steps, and so on, for the output of each last step."""
        import torch

        whole = replace(self, prefixes=False, sequence=False)
        outputs: list[Tensor] = []
        finals: list[Tensor] = []
        for end in range(1, len(x) + 1):
            results = [leaf.tensor for leaf in result_leaves(target_result(self, target, x[:end], states))]
            rows = x.shape[1]
            outputs.append(whole.one_state(results[self.taken[0]], rows))
            finals = [whole.one_state(results[i], rows) for i in self.taken[1:]]
        if not outputs:
            raise ValueError("it gives the output of the last step, and there is none")
        return torch.stack(outputs), finals

    def _call_on_rows(
        self, target: Callable[..., object], x: Tensor, states: list[Tensor]
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Call it once for every row."""
        import torch

        rows = []
        for row in range(x.shape[-2]):
            results = self.results(target, x[..., row : row + 1, :], [state[row : row + 1] for state in states])
            rows.append(self.read(results, CallSizes(len(x), 1)))
        if not rows:
            empty = x.new_zeros((*x.shape[:-1], 0)) if self.sequence else None
            return empty, [torch.zeros_like(state) for state in states]
        outputs = [output for output, _ in rows if output is not None]
        joined = torch.cat(outputs, 1 if self.sequence else 0) if outputs else None
        finals = [torch.cat(parts) for parts in zip(*(states for _, states in rows), strict=True)]
        return joined, finals

    def results(self, target: Callable[..., object], x: Tensor, states: list[Tensor]) -> list[Tensor]:
        """Call it once and list the tensors that come back.

        Args:
            target: What is called.
            x: The inputs, (T, B, n) or (B, n); one row where it takes no more.
            states: The states (B, d).
        """
        result = target_result(self, target, x, states)
        return [leaf.tensor for leaf in result_leaves(stacked_steps(result) if self.listed else result)]

    def positional_and_keyword(self, x: Tensor, states: list[Tensor]) -> tuple[tuple[object, ...], Keywords]:
        """Make the arguments of one call.

        Args:
            x: The inputs, (T, B, n) or (B, n); one row where it takes no more.
            states: The states (B, d).
        """
        sizes = CallSizes(len(x) if self.sequence else 1, x.shape[-2])
        shaped = [to_axes(state, "Bd", self.state_axes) for state in states[: self.states]]
        positional, keywords = [], {}
        for argument in self.handed_over:
            match argument.role:
                case "input":
                    value: object = self._input(x)
                case "states":
                    value = self.state_form.pack(shaped)
                case "first state":
                    value = self.state_form.pack(shaped[:1])
                case "second state":
                    value = self.state_form.pack(shaped[1:])
                case _:
                    value = argument.neutral_value(x, sizes)
            if argument.keyword:
                keywords[argument.keyword] = value
            else:
                positional.append(value)
        return tuple(positional), keywords

    def _input(self, x: Tensor) -> object:
        """The inputs as the target takes them."""
        if self.reading:
            x = x.flip(0)
        if self.input_form == "packed":
            from torch.nn.utils.rnn import pack_padded_sequence

            return pack_padded_sequence(x, [len(x)] * x.shape[1])
        arranged = to_axes(x, "TBn" if self.sequence else "Bn", self.axes_of_input)
        if x.is_contiguous():  # inputs that lie otherwise in memory are meant to, and reach the target as they are
            arranged = arranged.contiguous()
        return list(arranged) if self.input_form == "list" else arranged

    def read(self, results: list[Tensor], sizes: CallSizes) -> tuple[Tensor | None, list[Tensor]]:
        """Read the outputs and states off what came back.

        Args:
            results: The tensors that came back.
            sizes: The sizes of the call.
        """
        outputs, places = None, self.taken
        if self.sequence:
            axes = self.output_axes or self.axes_of_input.replace("n", "d")
            outputs = from_axes(
                results[places[0]], "TBd" if self.listed or self.input_form == "packed" else axes, "TBd"
            )
            outputs = outputs.flip(0) if self.reading == "backward" else outputs
            places = places[1:]
        if self.merging and places:
            merged = results[places[0]]
            parts = merged.unbind(0) if self.merging == "stacked" else merged.chunk(2, -1)
            states = [self.one_state(part, sizes.rows) for part in parts]
        else:
            states = [self.one_state(results[place], sizes.rows) for place in places]
        if self.output_place is not None:
            outputs = self.one_state(results[self.output_place], sizes.rows)
        return outputs, states[::-1] if self.exchanged else states

    def one_state(self, value: Tensor, rows: int) -> Tensor:
        """Bring a state that came back into the shape (B, d).

        Args:
            value: A state as the target gives it: (B, d), (d, B), or with further axes of size 1.
            rows: The number of rows of the call, B; 0 gives an empty state.

        Returns:
            The state (B, d). A step's state of another shape stays as it is, for the checks to see.
        """
        if self.state_axes == "dB" and value.dim() == 2:
            return value.T
        if value.dim() == 2 and len(value) == rows:
            return value
        if not self.sequence and self.state_axes == "Bd":
            return value  # of another shape than a step's state has: that is for the checks to see
        return value.reshape(rows, -1) if rows else value.reshape(0, value.shape[-1])


def plain_convention(
    sequence: bool,
    states: int,
    packed: bool = True,
    state_first: bool = False,
    layered: bool = False,
    batch_first: bool = False,
    input_axes: str = "",
    state_axes: str = "",
) -> CallingConvention:
    """Make a convention of tensors and tuples, without names.

    Args:
        sequence: Whether it is called once for all steps.
        states: The number of states.
        packed: Whether two states go in as one tuple.
        state_first: Whether the states come before the input.
        layered: Whether a state is (1, B, d).
        batch_first: Whether sequences are (B, T, n).
        input_axes: The axes of the input, if they are others.
        state_axes: The axes of a state, if they are others.
    """
    is_tuple = states == 2 and packed
    separate = (CallArgument("first state"), CallArgument("second state"))
    state_arguments = separate[:states] if states == 2 and not packed else (CallArgument("states"),) * min(states, 1)
    inputs = (CallArgument("input"),)
    return CallingConvention(
        sequence,
        states,
        (*state_arguments, *inputs) if state_first else (*inputs, *state_arguments),
        StateForm("tuple") if is_tuple else SEPARATE,
        input_axes or ("BTn" if batch_first else ""),
        state_axes or ("1Bd" if layered else "Bd"),
    )


def target_result(
    convention: CallingConvention, target: Callable[..., object], x: Tensor, states: list[Tensor]
) -> object:
    """Call a target once and return what it gives as it is.

    Args:
        convention: How it is called.
        target: What is called.
        x: The inputs, (T, B, n) or (B, n).
        states: The states (B, d).
    """
    positional, keywords = convention.positional_and_keyword(x, states)
    return call_target(target, *positional, **keywords)


def stacked_steps(result: object) -> tuple[object, ...]:
    """Stack a list of steps into one tensor (T, B, d).

    Args:
        result: The list, alone or before what else came back.

    Returns:
        The tensor and what else came back.

    Raises:
        TypeError: The result is no list.
    """
    import torch

    if not isinstance(result, tuple | list):
        raise TypeError(f"it gives back a {type(result).__name__}, not a list of steps")
    steps, further = (result[0], result[1:]) if isinstance(result[0], tuple | list) else (result, ())
    return (torch.stack(list(steps)), *further)


def flat_tensors(result: object) -> Iterator[Tensor]:
    """List the tensors of what a target gives back, in order; whatever else it gives (a cache) is left out.

    Args:
        result: What a call gave: a tensor, or a structure of tensors.
    """
    return (leaf.tensor for leaf in result_leaves(result))
