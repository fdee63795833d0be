"""What an argument is, by its name, as people name them: an input, a state, a cache, a gradient, all parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

Role = Literal["x", "h", "c", "tree", "cache", "gradient", "target", "other"]

_MARKS = re.compile(r"(prev|previous|next|init|initial|last|old|new|curr|current|cur|tm1|in|[0-9]|t)$")
"""Words that say of which step something is; what remains is what it is."""
_LEADING_MARKS = re.compile(r"^(prev|previous|next|init|initial|last|old|new|curr|current|cur)(?=[a-z])")
_INPUTS = frozenset(
    [
        "x",
        "xs",
        "inp",
        "inputs",
        "input",
        "seq",
        "sequence",
        "sequences",
        "features",
        "xseq",
        "embedding",
        "embeddings",
        "obs",
        "observations",
    ]
)
_HIDDEN = frozenset(
    ("h", "hs", "a", "s", "hidden", "state", "states", "hiddenstate", "hiddenstates", "carry", "hx", "ht", "hc", "hid")
)
_CELL = frozenset(("c", "cs", "cell", "cellstate", "cx", "memory", "mem", "ct"))
_TREE = frozenset(("params", "param", "parameters", "weights", "theta", "p", "w", "variables", "model"))
_CACHE = frozenset(("cache", "caches", "ctx", "context", "saved", "tape", "tmp", "stored", "values"))
_TARGETS = frozenset(("y", "ys", "targets", "target", "labels", "label", "ytrue", "truth"))
_OF_A_LOSS = r"^d(?:[LJE]|[Ll]oss|[Cc]ost)_?d_?(?=[A-Za-z])"
"""What stands before a weight in the name of the derivative of a loss: ``dLdW``, ``dJ_dW``."""
_GRADIENT = re.compile(
    r"^(grad|gradient|delta|upstream|dout|dl|dj|d_|g_|err|error)|^d(?=[a-z])|(_grad|_gradient)$", re.I
)


def base_name(name: str) -> str:
    """Return what an argument is named for, without what says of which step it is: ``h`` for ``prev_h`` and ``h_t_1``.

    Args:
        name: The argument's name; case and underscores do not count.
    """
    text = name.lower().replace("_", "")
    while len(text) > 1:
        shorter = _MARKS.sub("", _LEADING_MARKS.sub("", text))
        if shorter == text or not shorter or text in _INPUTS | _HIDDEN | _CELL | _CACHE | _TARGETS:
            break
        text = shorter
    return text


def role_of(name: str) -> Role:
    """Say what an argument of a forward function is, by its name.

    Args:
        name: The argument's name; one that says nothing is ``other``.
    """
    lowered = name.lower().replace("_", "")
    base = base_name(name)
    if base in _INPUTS:
        return "x"
    if base in _HIDDEN:
        return "h"
    if base in _CELL:
        return "c"
    if lowered in _TREE:
        return "tree"
    return "target" if lowered in _TARGETS else "other"


def backward_role_of(name: str) -> Role:
    """Say what an argument of a backward function is, by its name.

    Args:
        name: The argument's name; besides those of forward there are a cache and a gradient.
    """
    if name.lower().replace("_", "") in _CACHE:
        return "cache"
    return "gradient" if _GRADIENT.search(name) else role_of(name)


def gradient_stems(name: str) -> tuple[str, ...]:
    """Return the names that something may be the gradient of: ``Wx`` for ``dWx``, ``grad_Wx`` and ``Wx_grad``.

    The likeliest is first; the last is the name itself, for what stands in a dictionary of gradients.

    Args:
        name: The name of an array, an argument or a key.
    """
    stems = []
    for pattern in (
        r"^d_",
        _OF_A_LOSS,
        r"^(?:grad|gradient|delta|del)_?",
        r"^d(?=.)",
        r"^g_",
        r"_?(?:grad|gradient)s?$",
        r"_d$",
    ):
        stem = re.sub(pattern, "", name)
        if stem and stem != name and stem not in stems:
            stems.append(stem)
    return (*stems, name)


def required_arguments(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the arguments of a function that have no default; none where it does not show them.

    Args:
        function: A function, method or class, of Python or not.
    """
    return [argument for argument in all_arguments(function) if argument.default is argument.empty]


def all_arguments(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the arguments of a function but for ``*args`` and ``**kwargs``; none where it does not show them.

    Args:
        function: A function, method or class, of Python or not.
    """
    try:
        arguments = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [argument for argument in arguments if argument.kind not in variadic]


def takes_targets(names: Sequence[str]) -> bool:
    """Say whether these are the arguments of a function that computes a loss, and not states.

    Args:
        names: The names of all arguments.
    """
    roles = [role_of(name) for name in names]
    return "x" in roles and "target" in roles


def methods_of_targets(written_class: type) -> Iterator[tuple[str, list[str]]]:
    """Yield the methods of a class that take inputs and targets, each with its arguments.

    Args:
        written_class: The class of an object, with or without a forward method.
    """
    methods = {name: method for base in reversed(written_class.__mro__) for name, method in vars(base).items()}
    for name, method in methods.items():
        if inspect.isfunction(method) and not name.startswith("_"):
            arguments = [argument.name for argument in all_arguments(method)][1:]
            if takes_targets(arguments):
                yield name, arguments
