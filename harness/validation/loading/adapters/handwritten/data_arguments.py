"""Functions that take a mask, or tokens and an embedding, as functions of inputs: what a cell computes needs neither.

A mask is filled with ones, lengths with the number of steps, and what resets the state with zeros. Tokens are numbered
through, and the inputs are the rows of the embedding: then the gradient of the embedding is that of the inputs.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rnn_harness.validation.cells.call_argument import role_of_extra
from rnn_harness.validation.cells.capabilities import PaddingArgument
from rnn_harness.validation.cells.documented_mask import mask_in_texts
from rnn_harness.validation.cells.own_documentation import function_texts
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of
from rnn_harness.validation.loading.adapters.handwritten.further_inputs import further_inputs
from rnn_harness.validation.loading.adapters.handwritten.renamed_arguments import with_signature_of
from rnn_harness.validation.loading.adapters.handwritten.state_entries import entry_names, state_entries

_MASK = re.compile(r"^(?:seq_?|padding_?|time_?)?masks?$|^(?:is_)?valid$", re.IGNORECASE)
_TOKENS = re.compile(r"^(?:token|word|char|input|x)?_?(?:ids?|idxs?|indices|tokens?|words?|chars?)$", re.IGNORECASE)
_Axes = Literal["leading", "leading and one", "trailing", "first", "second"]
_AXES: tuple[_Axes, ...] = ("leading", "leading and one", "trailing")
"""Which axes of the inputs a mask may have: all but the features, those and one of length one, all but the first."""
_ROW_AXES: tuple[_Axes, ...] = ("first", "second")
"""Which axis of the inputs may be that of the rows, of which lengths have one number each."""
_WORDINGS: dict[_Axes, str] = {
    "leading": "of the inputs without their features",
    "leading and one": "of the inputs with one in the place of their features",
    "trailing": "of the inputs without their first axis",
    "first": "of the first axis of the inputs",
    "second": "of the second axis of the inputs",
}
_EMBEDDING = re.compile(r"^(?:[we]_?)?emb(?:ed(?:ding)?s?)?(?:_?(?:weights?|matrix|table|w))?$", re.IGNORECASE)


@dataclass(frozen=True)
class AdaptedPair:
    """A forward and a backward that take inputs, states and parameters alone.

    Attributes:
        forward: The forward function.
        backward: The backward function; None if there is none.
        note: What is done with the remaining arguments, a sentence without its full stop; empty if nothing is.
        restarting: The forward function whose state is reset before every step; None if nothing resets it.
        padding: The argument that says which steps are padding, which `forward` takes by its name; empty if there is
            none.
        has_further_inputs: Whether inputs beside x are filled with numbers.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    note: str = ""
    restarting: Callable[..., Any] | None = None
    padding: str = ""
    has_further_inputs: bool = False


def adapted_pairs(forward: Callable[..., Any], backward: Callable[..., Any] | None) -> Iterator[AdaptedPair]:
    """Yield the ways of calling a pair with inputs, states and parameters; the pair itself comes last.

    Args:
        forward: The user's forward function.
        backward: Its backward function; None if there is none.
    """
    names = [argument.name for argument in required_arguments(forward)]
    tokens = next((name for name in names if _TOKENS.match(name)), "")
    tokens = tokens or next((name for name in names if role_of(name) == "x"), "")
    embedding = next((name for name in names if _EMBEDDING.match(name)), "")
    resets = next((name for name in names if role_of_extra(name) == "done"), "")
    state = next((name for name in names if role_of(name) == "h"), "")
    entries = state_entries(forward, state) if state else ()
    if entries:
        apart = _renamed_states(forward, state, entries)
        yield AdaptedPair(apart, backward, f"its {state} is a dictionary with {' and '.join(entries)}")
    elif tokens and embedding:
        yield _with_rows_as_embedding(forward, backward, tokens, embedding)
    elif further := further_inputs(forward):
        yield AdaptedPair(further.without(forward), backward, further.note, has_further_inputs=True)
    elif paddings := list(filled_paddings(forward)):
        for padding in paddings:
            yield AdaptedPair(padding.without(forward), backward, padding.note, padding=padding.name)
    elif resets:
        x = next((name for name in names if role_of(name) == "x"), next(name for name in names if name != resets))
        note = f"its {resets}, of the shape {{}}, is filled with zeros, so that no state is reset"
        for dtype, axes in itertools.product(("bool", ""), _AXES):
            never, always = (FilledArgument(resets, x, axes, value, dtype).without(forward) for value in (0, 1))
            yield AdaptedPair(never, backward, note.format(_WORDINGS[axes]), always)
    yield AdaptedPair(forward, backward)


def filled_paddings(forward: Callable[..., Any]) -> Iterator[FilledArgument]:
    """Yield the ways of filling what says which steps are padding, so that none is; nothing where nothing says so.

    Args:
        forward: A function or a bound method, whose signature is read.
    """
    names = [argument.name for argument in required_arguments(forward)]
    mask = next((name for name in names if _MASK.match(name)), "")
    lengths = next((name for name in names if role_of_extra(name) == "lengths"), "")
    padding = mask or lengths
    x = next((name for name in names if role_of(name) == "x"), next((name for name in names if name != padding), ""))
    if not padding or not x:
        return
    note = f"its {mask} is filled with ones" if mask else f"its {lengths} are those of all steps"
    for axes in _AXES if mask else _ROW_AXES:
        yield FilledArgument(padding, x, axes, 1, "" if mask else "int32", f"{note}, so that no step is padding")


def padding_argument(forward: Callable[..., Any], padding: str) -> PaddingArgument | None:
    """Say what an argument tells of the steps that are padding.

    Args:
        forward: The user's function or method, whose docstring and comments are read.
        padding: The argument; empty if there is none.

    Returns:
        The lengths of the rows, or a mask, documented or not; None without one.
    """
    if not padding:
        return None
    if role_of_extra(padding) == "lengths":
        return PaddingArgument(padding)
    documented = mask_in_texts(function_texts(inspect.unwrap(forward)), padding)
    if documented is None:
        return PaddingArgument(padding, counting=1, is_documented=False)
    return PaddingArgument(padding, documented.counting)


@dataclass(frozen=True)
class FilledArgument:
    """An argument that is filled with one number.

    Attributes:
        name: The argument.
        x: The argument that holds the inputs.
        axes: Which axes of the inputs it has.
        value: The number; lengths are filled with the number of steps instead.
        dtype: Its format; empty for that of the inputs.
        note: What is said of it, a sentence without its full stop.
    """

    name: str
    x: str
    axes: _Axes
    value: int
    dtype: str
    note: str = ""

    def without(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function without this argument, which may still be given by its name.

        Args:
            forward: A function or a bound method that takes it.
        """
        return with_signature_of(functools.partial(_call_filled, forward, self), forward, {}, (self.name,))


def _call_filled(forward: Callable[..., Any], filled: FilledArgument, *values: Any, **keywords: Any) -> Any:
    """Call forward with an argument that is filled, by the shape of the inputs, unless it is given."""
    if filled.name in keywords:
        return forward(*values, **keywords)
    names = [name for name in inspect.signature(forward).parameters if name != filled.name]
    given = {**dict(zip(names, values, strict=False)), **keywords}
    lengths = np.shape(given[filled.x])
    value = filled.value
    if filled.axes in _ROW_AXES:
        rows, value = lengths[:2] if filled.axes == "first" else lengths[1::-1]
        shape: tuple[int, ...] = (rows,)
    else:
        shape = {"leading": lengths[:-1], "leading and one": (*lengths[:-1], 1)}.get(filled.axes, lengths[1:])
    array = np.full(shape, value, filled.dtype or str(given[filled.x].dtype))
    return forward(**given, **{filled.name: array})


def _with_rows_as_embedding(
    forward: Callable[..., Any], backward: Callable[..., Any] | None, tokens: str, embedding: str
) -> AdaptedPair:
    """The pair, its tokens numbered through and its inputs as the rows of its embedding."""
    shapes: list[tuple[int, ...]] = [()]

    def called(*values: Any, **keywords: Any) -> Any:
        names = ["x" if name == tokens else name for name in inspect.signature(forward).parameters if name != embedding]
        by_name = {**dict(zip(names, values, strict=False)), **keywords}
        x = np.asarray(by_name.pop("x"))
        shapes[0] = x.shape
        ids = np.arange(x[..., 0].size).reshape(x.shape[:-1])
        return forward(**by_name, **{tokens: ids, embedding: x.reshape(-1, x.shape[-1])})

    def turned(value: Any) -> Any:
        """The gradient of the embedding as that of the inputs."""
        x_shape = shapes[0]
        if isinstance(value, tuple | list):
            return type(value)(turned(part) for part in value)
        if isinstance(value, dict):
            return {key: turned(part) for key, part in value.items()}
        is_rows = isinstance(value, np.ndarray) and len(x_shape) > 1
        return value.reshape(x_shape) if is_rows and value.shape == _rows_shape(x_shape) else value

    adapted = with_signature_of(called, forward, {tokens: "x"}, (embedding,))
    note = f"its {tokens} are numbered through, its inputs are the rows of {embedding}: no token is tried twice"
    if backward is None:
        return AdaptedPair(adapted, None, note)
    wrapped_backward = backward

    @functools.wraps(wrapped_backward)
    def called_backward(*values: Any, **keywords: Any) -> Any:
        return turned(wrapped_backward(*values, **keywords))

    return AdaptedPair(adapted, called_backward, note)


def _rows_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an embedding with a row for every input."""
    return int(np.prod(shape[:-1])), shape[-1]


def _renamed_states(forward: Callable[..., Any], state: str, entries: tuple[str, ...]) -> Callable[..., Any]:
    """The function with an argument for each entry of the dictionary of its states."""
    names = entry_names(entries)

    @functools.wraps(forward)
    def called(*values: Any, **keywords: Any) -> Any:
        given = {**dict(zip(order, values, strict=False)), **keywords}
        states = {entry: given.pop(name) for entry, name in zip(entries, names, strict=True)}
        return forward(**given, **{state: states})

    signature = inspect.signature(forward)
    parameters = [
        value.replace(name=name)
        for key, value in signature.parameters.items()
        for name in (names if key == state else (key,))
    ]
    order = [value.name for value in parameters]
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return called
