"""What to say of a target that cannot be driven: the call that went furthest, what came of it, and what would help."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_harness.attributes import attribute
from rnn_harness.errors import first_line
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.forward_signature import INPUT_NAME, STATE_NAME, forward_arguments
from rnn_harness.validation.loading.result_reading import TrialSizes
from rnn_harness.validation.loading.size_arguments import size_names

if TYPE_CHECKING:
    from torch import nn

_MOST_LETTERS = 160
WRAPPER_FOLLOWS = "A wrapper like this one can be driven, once the dots in it are filled in:"


@dataclass(frozen=True)
class RaisedError:
    """What is said of an error, without the error: its traceback keeps all that the call computed in memory.

    Attributes:
        name: The name of its class.
        line: The first line of its message.
        is_refusal: Whether the arguments were refused: by the signature of what was called, or as of no type that a
            function takes. What a line of the target calls in a wrong way is no refusal.
        depth: How far the call went: the sum of the line numbers of its traceback in the target itself, then in all.
    """

    name: str
    line: str
    is_refusal: bool
    depth: tuple[int, int]

    @classmethod
    def of(cls, error: BaseException) -> RaisedError:
        """Read off an error what is said of it.

        Args:
            error: The error, as it was caught.
        """
        own_depth, depth, traceback, line = 0, 0, error.__traceback__, first_line(error)
        while traceback is not None:
            if not traceback.tb_frame.f_code.co_filename.startswith(_folders_of_callers()):
                own_depth += traceback.tb_lineno
            depth, traceback = depth + traceback.tb_lineno, traceback.tb_next
        is_refusal = isinstance(error, TypeError) and "argument" in line and (not own_depth or " must be " in line)
        return cls(type(error).__name__, line, is_refusal, (own_depth, depth))


@functools.cache
def _folders_of_callers() -> tuple[str, ...]:
    """The folders of the code that calls a target: an error whose frames lie there alone arose before its lines."""
    import torch

    return str(Path(__file__).parents[2]), str(Path(torch.__file__).parent)


@dataclass(frozen=True)
class FailedCall:
    """A call that does not fit.

    Attributes:
        convention: How it was called.
        error: What it raised; None if it gave something back.
        shapes: The shapes of the tensors that it gave back.
        has_wrong_reach: Whether the shapes fit, but a step reaches what it should not.
    """

    convention: CallingConvention
    error: RaisedError | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    has_wrong_reach: bool = False

    def progress(self) -> tuple[int, ...]:
        """Say how far it went: a call that came back is further than one that raised, and that than a wrong number."""
        if self.error is None:
            return 3 if self.has_wrong_reach else 2, sum(len(shape) > 1 for shape in self.shapes)
        return 0 if self.error.is_refusal else 1, *self.error.depth


def undriven_message(module: nn.Module, sizes: TrialSizes, failures: Sequence[FailedCall], hint: str) -> str:
    """Say in one sentence what was called how, what came back, and what was expected; then a wrapper to paste.

    Args:
        module: The module that no way of calling fits.
        sizes: The sizes of the calls.
        failures: The calls.
        hint: A sentence about what the module is.
    """
    name = attribute(module, "label", str) or type(module).__name__
    if not failures:
        arguments = ", ".join(argument.name for argument in forward_arguments(module) or ())
        return (
            f"cannot drive {name}: no way of calling it is known that fits its arguments, forward({arguments}); "
            "expected an input and at most two states beside flags, masks and lengths, or more states in one argument."
            f"{hint}"
        )
    furthest = max(failures, key=FailedCall.progress)
    call = call_text(furthest.convention, sizes)
    if furthest.error is not None:
        came = f"raised {furthest.error.name}: {furthest.error.line[:_MOST_LETTERS]}"
    elif furthest.has_wrong_reach:
        came = f"gave {_shapes(furthest.shapes)}, in which a step reaches other rows, or not its own output"
    else:
        came = f"gave {_shapes(furthest.shapes)}"
    states = f"({sizes.rows}, {sizes.d})"
    outputs = f"outputs ({sizes.steps}, {sizes.rows}, {sizes.d}) or ({sizes.rows}, {sizes.steps}, {sizes.d})"
    expected = f"states {states} of a step, or {outputs} of a sequence"
    return (
        f"cannot drive {name}: no way of calling it gave states of size {sizes.d}. What went furthest: {call} {came}; "
        f"expected {expected}, for n = {sizes.n}, d = {sizes.d}, {sizes.rows} rows and {sizes.steps} steps.{hint}"
        f"{_about_states(_several_states(failures))}\n"
        f"{WRAPPER_FOLLOWS}\n{_lines(name, module, failures)}"
    )


def with_second_reason(message: str, reason: str) -> str:
    """Put a further reason behind the first sentence of a message, in front of the lines to paste.

    Args:
        message: What `undriven_message` gives, or any other message.
        reason: A sentence.
    """
    ahead, line_break, lines = message.partition("\n")
    return f"{ahead} {reason}{line_break}{lines}"


def call_text(convention: CallingConvention, sizes: TrialSizes) -> str:
    """Write a call with the shapes of its arguments.

    Args:
        convention: How it is called.
        sizes: The sizes of the call.
    """
    state = str(sizes.shape(convention.state_axes))
    texts = []
    for argument in convention.handed_over:
        match argument.role:
            case "input":
                text = (
                    f"{'list of ' if convention.input_form == 'list' else ''}x {sizes.shape(convention.axes_of_input)}"
                )
            case "states":
                text = convention.state_form.expression([f"state {state}"] * convention.states)
            case "first state" | "second state":
                text = f"state {state}"
            case _:
                text = argument.wording
        texts.append(f"{argument.keyword}={text}" if argument.keyword else text)
    return f"forward({', '.join(texts)})"


_UNPACKED = re.compile(r"values to unpack \(expected (\d+)")


def _several_states(failures: Sequence[FailedCall]) -> int:
    """How many states a module unpacks, if more than two; else 0."""
    lines = [failed.error.line for failed in failures if failed.error is not None]
    counts = [int(match[1]) for line in lines if (match := _UNPACKED.search(line))]
    return max((count for count in counts if count > 2), default=0)


def _about_states(states: int) -> str:
    """A sentence about more states than are driven apart."""
    return f" It unpacks {states} states; as many as two are driven as they are." if states else ""


def _joined(name: str, states: int) -> str:
    """The lines of a wrapper that joins several states to one."""
    return (
        "    class Driven(nn.Module):  # its one state joins all of them; they may be of any widths\n"
        "        def __init__(self):\n"
        f"            super().__init__(); self.cell, self.widths = {name}(3, 4), {[4] * states}\n"
        f"            self.input_size, self.hidden_size = 3, {4 * states}\n"
        "        def forward(self, x, s):\n"
        "            return torch.cat(self.cell(x, s.split(self.widths, -1))[1], -1)  # [1]: its states"
    )


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    """List shapes."""
    return " and ".join(map(str, shapes)) or "nothing that is a tensor"


def _lines(name: str, module: nn.Module, failures: Sequence[FailedCall]) -> str:
    """What may be pasted: a function on arrays, or a module with one state, or with as many as it has."""
    if isinstance(module, ArrayLibraryModule):
        return _function(name)
    states = _several_states(failures)
    return _joined(name, states) if states else _wrapper(name, module)


def _wrapper(name: str, module: nn.Module) -> str:
    """The lines of a wrapper, with the arguments that the class and its forward take."""
    constructor = ", ".join(_constructor_arguments(type(module)))
    call = ", ".join(_forwarded_arguments(module))
    return (
        "    from torch import nn\n"
        "    class Driven(nn.Module):\n"
        "        def __init__(self, input_size, hidden_size):\n"
        "            super().__init__()\n"
        f"            self.cell = {name}({constructor})\n"
        "        def forward(self, x, h):  # x (B, n) and h (B, d) in, the next h (B, d) out; (h, c) for two states\n"
        f"            return self.cell({call})  # with the shapes that it takes and gives"
    )


def _constructor_arguments(written_class: type) -> Iterator[str]:
    """What the constructor of a class is given: the sizes by their names, and dots for what is none."""
    known = [argument.name for argument in required_arguments(written_class)]
    names = size_names(known)
    inputs, hidden = (names.inputs, names.hidden) if names.inputs and names.hidden else (known[:1], known[1:2])
    for argument in known:
        value = "input_size" if argument in inputs else "hidden_size" if argument in hidden else "..."
        yield f"{argument}={value}"


def _forwarded_arguments(module: nn.Module) -> Iterator[str]:
    """What the forward of a module is given: its input, one state, and dots for what is neither."""
    arguments = [argument for argument in forward_arguments(module) or () if argument.is_required]
    unnamed = [argument for argument in arguments if argument.extra_role is None]
    inputs = [argument for argument in unnamed if INPUT_NAME.match(argument.name)] or unnamed[:1]
    states = [argument for argument in unnamed if argument not in inputs and STATE_NAME.match(argument.name)]
    for argument in arguments:
        is_input, is_state = argument in inputs[:1], argument in states[:1]
        yield f"{argument.name}={'x' if is_input else 'h' if is_state else '...'}"


def _function(name: str) -> str:
    """The lines of a function on the arrays of another library."""
    return (
        "    def step(params, x, h):  # x (B, n) and h (B, d) in, the next h (B, d) out; (h, c) for two states\n"
        f"        return {name}(params, x, h)"
    )
