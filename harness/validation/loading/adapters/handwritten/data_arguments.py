"""Functions that take a mask, or tokens and an embedding, as functions of inputs: what a cell computes needs neither.

A mask is filled with ones. Tokens are numbered through, and the inputs are the rows of the embedding: then the gradient
of the embedding is that of the inputs.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of

_MASK = re.compile(r"^(?:seq_?|padding_?|time_?)?masks?$|^(?:is_)?valid$", re.IGNORECASE)
_TOKENS = re.compile(r"^(?:token|word|char|input|x)?_?(?:ids?|idxs?|indices|tokens?|words?|chars?)$", re.IGNORECASE)
_EMBEDDING = re.compile(r"^(?:[we]_?)?emb(?:ed(?:ding)?s?)?(?:_?(?:weights?|matrix|table|w))?$", re.IGNORECASE)


@dataclass(frozen=True)
class AdaptedPair:
    """A forward and a backward that take inputs, states and parameters alone.

    Attributes:
        forward: The forward function.
        backward: The backward function; None if there is none.
        note: What is done with the remaining arguments, a sentence without its full stop; empty if nothing is.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    note: str = ""


def adapted_pairs(forward: Callable[..., Any], backward: Callable[..., Any] | None) -> Iterator[AdaptedPair]:
    """Yield the ways of calling a pair with inputs, states and parameters; the pair itself comes last.

    Args:
        forward: The user's forward function.
        backward: Its backward function; None if there is none.
    """
    names = [argument.name for argument in required_arguments(forward)]
    mask = next((name for name in names if _MASK.match(name)), "")
    tokens = next((name for name in names if _TOKENS.match(name)), "")
    tokens = tokens or next((name for name in names if role_of(name) == "x"), "")
    embedding = next((name for name in names if _EMBEDDING.match(name)), "")
    if tokens and embedding:
        yield _with_rows_as_embedding(forward, backward, tokens, embedding)
    elif mask:
        x = next((name for name in names if role_of(name) == "x"), next(name for name in names if name != mask))
        for axes in ("leading", "leading and one", "trailing"):
            filled = _renamed_signature(functools.partial(_call_filled, forward, mask, x, axes), forward, {}, (mask,))
            yield AdaptedPair(filled, backward, f"its {mask} is filled with ones, so that no step is padding")
    yield AdaptedPair(forward, backward)


def _call_filled(forward: Callable[..., Any], mask: str, x: str, axes: str, *values: Any, **keywords: Any) -> Any:
    """Call forward with a mask of ones, of the shape of the inputs without their features."""
    names = [name for name in inspect.signature(forward).parameters if name != mask]
    given = {**dict(zip(names, values, strict=False)), **keywords}
    lengths = np.shape(given[x])
    shape = {"leading": lengths[:-1], "leading and one": (*lengths[:-1], 1), "trailing": lengths[1:]}[axes]
    return forward(**given, **{mask: np.ones(shape, str(given[x].dtype))})


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

    adapted = _renamed_signature(called, forward, {tokens: "x"}, (embedding,))
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


def _renamed_signature(
    called: Callable[..., Any], function: Callable[..., Any], names: dict[str, str], without: Sequence[str]
) -> Callable[..., Any]:
    """The function under the name of another, with its arguments but for some, and other names for some."""

    @functools.wraps(function)
    def shown(*values: Any, **keywords: Any) -> Any:
        return called(*values, **keywords)

    signature = inspect.signature(function)
    parameters = [
        value.replace(name=names.get(name, name)) for name, value in signature.parameters.items() if name not in without
    ]
    shown.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return shown
