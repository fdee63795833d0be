"""How a target is called: cell or sequence, which axis is time, where the state goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rnn_harness.runtime.target_call import call_target

if TYPE_CHECKING:
    from torch import Tensor

Arrangement = Literal["rows", "columns", "one vector", "one column"]
TensorArguments: TypeAlias = "tuple[Tensor | tuple[Tensor, ...], ...]"
"""What a target is called with: tensors, of which two states may stand in one tuple."""


@dataclass(frozen=True)
class CallingConvention:
    """How a target is called, and what of its results is what.

    Attributes:
        sequence: Whether it is called once for all steps, and not once a step.
        states: The number of state arrays that go in: 0, 1 or 2.
        packed: Whether two states go in as one tuple.
        state_first: Whether the state is the first argument.
        layered: Whether states are (1, B, d).
        batch_first: Whether sequences are (B, T, .).
        taken: Which of the results are the output of a sequence (first) and the states, in the order of the arguments.
        arrangement: How the rows of one step lie.
        listed: Whether the outputs come as a list of steps.
        wording: How what stands behind the target is called, in words, where that is not how the target is called.
    """

    sequence: bool
    states: int
    packed: bool = True
    state_first: bool = False
    layered: bool = False
    batch_first: bool = False
    taken: tuple[int, ...] = ()
    arrangement: Arrangement = "rows"
    listed: bool = False
    wording: str = ""

    def __str__(self) -> str:
        if self.wording:
            return self.wording
        form = f"a sequence, {'batch' if self.batch_first else 'time'} first" if self.sequence else "one step"
        state = ("no state", "one state", "two states as a tuple" if self.packed else "two states")[self.states]
        where = " before the input" if self.state_first else ""
        rows = {"rows": "", "columns": ", batch in columns", "one vector": ", one vector at a time"}
        return f"called with {form}, and {state}{where}{rows.get(self.arrangement, ', one column at a time')}"

    def arguments(self, x: Tensor, states: list[Tensor]) -> TensorArguments:
        """What the target is called with.

        Args:
            x: The inputs: (T, B, n) of a sequence, (B, n) of a step.
            states: The states (B, d).
        """
        shaped = [state.unsqueeze(0) for state in states] if self.layered else states
        state_arguments: TensorArguments = (tuple(shaped),) if len(shaped) == 2 and self.packed else tuple(shaped)
        if self.sequence and self.batch_first:
            x = x.transpose(0, 1)
        return (*state_arguments, x) if self.state_first else (x, *state_arguments)

    def call(
        self, target: Callable[..., object], x: Tensor, states: list[Tensor]
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Call a target.

        Args:
            target: What is called with `arguments`.
            x: The inputs: (T, B, n) of a sequence, (B, n) of a step.
            states: The states (B, d).

        Returns:
            The outputs (T, B, d) of a sequence, None for a step; and the states (B, d) that came back.
        """
        import torch

        if self.arrangement == "rows":
            return self._read(call_target(target, *self.arguments(x, states)))
        if self.arrangement == "columns":
            results = list(flat_tensors(call_target(target, *self.arguments(x.T, [state.T for state in states]))))
            return None, [results[i].T for i in self.taken]
        rows = []
        for row in range(len(x)):
            vectors = [
                value[row].unsqueeze(1) if self.arrangement == "one column" else value[row] for value in (x, *states)
            ]
            results = list(flat_tensors(call_target(target, *self.arguments(vectors[0], vectors[1:]))))
            rows.append([results[i].reshape(-1) for i in self.taken])
        if not rows:
            return None, [torch.zeros_like(state) for state in states]
        return None, [torch.stack(parts) for parts in zip(*rows, strict=True)]

    def _read(self, result: object) -> tuple[Tensor | None, list[Tensor]]:
        """The outputs and states among what a target gives back."""
        results = list(flat_tensors(stacked_steps(result) if self.listed else result))
        if not self.sequence:
            return None, [results[i] for i in self.taken]
        outputs = results[self.taken[0]]
        outputs = outputs.transpose(0, 1) if self.batch_first else outputs
        return outputs, [results[i].reshape(outputs.shape[1], -1) for i in self.taken[1:]]


def stacked_steps(result: object) -> tuple[object, ...]:
    """Stack a list of steps into one tensor (T, B, d).

    Args:
        result: The list, alone or before what else came back.

    Returns:
        The tensor and what else came back.
    """
    import torch

    if not isinstance(result, tuple | list):
        raise TypeError(f"it gives back a {type(result).__name__}, not a list of steps")
    steps, further = (result[0], result[1:]) if isinstance(result[0], tuple | list) else (result, ())
    return (torch.stack(list(steps)), *further)


def flat_tensors(result: object) -> Iterator[Tensor]:
    """The tensors of what a target gives back, in order; whatever else it gives (a cache) is left out."""
    import torch

    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, tuple | list | Mapping):
        for part in result.values() if isinstance(result, Mapping) else result:
            yield from flat_tensors(part)


def distinct_batch_size(*sizes: int) -> int:
    """A number of rows that no size can be confused with: where they are equal, a wrong way of calling may fit."""
    return next(rows for rows in (7, 11, 13, 17, 19, 23, 29) if rows not in (*sizes, sum(sizes)))
