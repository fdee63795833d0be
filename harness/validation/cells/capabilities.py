"""What a target can do, as one value that is handed on whole from its adapter to the checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.loss_function import LossFunction

if TYPE_CHECKING:
    from torch import nn


class CellSizes(NamedTuple):
    """The sizes of a cell.

    Attributes:
        input_size: n, the length of an input.
        hidden_size: d, the length of a state.
    """

    input_size: int
    hidden_size: int


@dataclass(frozen=True)
class PaddingArgument:
    """An argument of a function that says which steps are padding.

    Attributes:
        name: By which it is given.
        counting: Of a mask, its value where a step counts, as the function documents it; None of lengths.
        is_documented: Whether it is documented what a mask means; else it may not be one of padding.
    """

    name: str
    counting: int | None = None
    is_documented: bool = True


@dataclass(frozen=True)
class TargetCapabilities:
    """What a target takes and offers.

    Attributes:
        dtypes: The dtypes that it computes in.
        calling_convention: How it is called, where its library says so; None if that is found out by calling it.
        fixed_sizes: The only sizes that it exists for; None if it can be made for any.
        takes_lengths: Whether it takes the lengths of the rows, as its last argument.
        no_gradients_reason: Why it has no gradients; None if it has.
        library: The library that it is made with; None for torch. Transformations of torch say nothing about others.
        absolute_function_error: Whether its library bounds the error of tanh and sigmoid against 1, and not against
            the function's own value.
        kept_state_fault: How it keeps a state between calls though it was made not to; empty if it does not.
        is_single_inside: Whether it computes in float32 although it takes float64.
        states_return_in_order: Whether its library gives the states that come back to the next call as they are, so
            that another order than they go in is a mistake.
        has_parts: Whether it is a model of its library, with recurrent parts that are judged by themselves.
        has_library_mask: Whether its library says what an argument ``mask`` is: (B, T), true where a step counts.
        padding: What says which of its steps are padding, where it may be left out; None where nothing does, or where
            torch modules take it.
        make_restarting: Makes its module of (n, d) with an argument that resets the state set at every step; None where
            it has no such argument, or takes it as torch modules do.
        has_further_inputs: Whether it takes further inputs beside x, such as a mask and the time since the last value,
            so that it may keep what it saw last besides its states.
        loss: The loss that it computes with its gradients, where it gives that and no states; None of a cell.
        loss_beside: The loss that another method of a cell computes with gradients, where the cell itself gives none.
        device: Where its code computes, by torch's name.
        notes: What a reader must know about how it is driven, each a sentence without its full stop.
    """

    dtypes: tuple[str, ...] = ("float64", "float32")
    calling_convention: CallingConvention | None = None
    fixed_sizes: CellSizes | None = None
    takes_lengths: bool = False
    no_gradients_reason: str | None = None
    library: str | None = None
    absolute_function_error: bool = False
    kept_state_fault: str = ""
    is_single_inside: bool = False
    states_return_in_order: bool = False
    has_parts: bool = False
    has_library_mask: bool = False
    padding: PaddingArgument | None = None
    make_restarting: Callable[[int, int], nn.Module] | None = None
    has_further_inputs: bool = False
    loss: LossFunction | None = None
    loss_beside: LossFunction | None = None
    device: str = "cpu"
    notes: tuple[str, ...] = ()
