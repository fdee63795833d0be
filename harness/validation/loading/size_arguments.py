"""Which arguments of a constructor, or fields of a configuration, are the input size and the hidden size."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

_SIZE = r"_?(size|sz|dims?|features?|feats?|channels|width|depth|units|nodes|neurons)"
_COUNT = r"(n|num|dim|d|size|nb|number_of)_?"
_INPUT_WORD = r"(in|inp|inputs?|x|obs|observations?|emb|embed|embeddings?|src|token)"
_HIDDEN_WORD = r"(hid|hidden|hiddens|h|units?|cells?|states?|mem|memory|rnn|lstm|gru|recurrent|model|latent)"
_INPUT_NAMES = re.compile(
    rf"({_INPUT_WORD}{_SIZE}|{_COUNT}{_INPUT_WORD}({_SIZE})?|n_?in|nin|ninp|n_?x|emsize|n_?features?|num_?features?|"
    r"feature_(dim|size)|features_in|in_channels|nfeat|n|input|inputs|D_in|insize|indim|isize|idim|"
    r"input_shape|input_(encoding|embedding|embed)_(size|dim))$",
    re.I,
)
_HIDDEN_NAMES = re.compile(
    rf"({_HIDDEN_WORD}{_SIZE}|{_COUNT}{_HIDDEN_WORD}({_SIZE})?|nhid|nh|n_?h|n_a|nhidden|hidden|hiddens|units?|memory|d|D_h|"
    r"state|hsize|hdim)$",
    re.I,
)
_HIDDEN_IF_ALONE = re.compile(
    r"(features?|out_?(size|dims?|features|channels)?|n_?out|output_(size|dim)|dims?|size|width|channels|d_out|m|h)$",
    re.I,
)
_INPUT_IF_ALONE = re.compile(r"(features?|dims?|size|channels|width|vocab_?(size)?|m)$", re.I)


_FURTHER_NAMES = re.compile(
    r"(d|n|dim|num|size)_?(proj|projection|r|out|outputs?|k|v|key|value|memory|slots|rank|order|ff|inner|y|classes)$|"
    r"(proj|projection|recurrent_proj|out|output|memory|context|key|value|rank|order|inner)_?(size|dim|features|units)?$|o$|"
    r"(n|num)_?actions?$",
    re.I,
)
FURTHER_SIZE = 2
"""What a size of something else is: of a projection, a memory, an output."""
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class SizeNames(NamedTuple):
    """The names of arguments that are sizes.

    Attributes:
        inputs: Those that are the input size; usually one.
        hidden: Those that are the hidden size; usually one.
    """

    inputs: tuple[str, ...]
    hidden: tuple[str, ...]

    def values(self, n: int, d: int) -> dict[str, int]:
        """Return the sizes by name.

        Args:
            n: The input size.
            d: The hidden size.
        """
        return dict.fromkeys(self.inputs, n) | dict.fromkeys(self.hidden, d)


def size_names(names: Iterable[str]) -> SizeNames:
    """Say which names are those of sizes; where one of the two is lacking, names that may be either count.

    Args:
        names: The names of arguments, fields or attributes.
    """
    listed = list(names)
    inputs = [name for name in listed if _INPUT_NAMES.match(name)]
    hidden = [name for name in listed if _HIDDEN_NAMES.match(name) and name not in inputs]
    if inputs and not hidden:
        hidden = [name for name in listed if _HIDDEN_IF_ALONE.match(name) and name not in inputs][:1]
    elif [name.lower() for name in hidden] == ["d"] and (alone := [name for name in listed if name.lower() == "h"]):
        inputs, hidden = hidden, alone  # weights (D, H), as in course code
    elif (inputs, hidden) == (["n"], ["d"]) and listed.index("d") < listed.index("n"):
        inputs, hidden = hidden, inputs  # a dimension of inputs and a number of units, in the usual order
    elif hidden and not inputs:
        inputs = [name for name in listed if _INPUT_IF_ALONE.match(name) and name not in hidden][:1]
    elif not inputs:  # the cells of Flax and Keras, and pairs of JAX functions, learn their input size when called
        hidden = [name for name in listed if name in ("features", "out_dim", "n_out")]
    return SizeNames(tuple(inputs), tuple(hidden))


def further_sizes(arguments: Mapping[str, inspect.Parameter], known: Collection[str]) -> dict[str, int]:
    """Return values for required arguments that are sizes of something else: of a projection, a memory, an output.

    Args:
        arguments: The arguments of a constructor, by name.
        known: The names of those that have a value.

    Returns:
        The values by name; none where one that is required is no size of that kind.
    """
    lacking = [name for name, argument in arguments.items() if argument.default is argument.empty and name not in known]
    return dict.fromkeys(lacking, FURTHER_SIZE) if all(map(is_further_size, lacking)) else {}


def is_further_size(name: str) -> bool:
    """Say whether a name is that of a size of something else: of a projection, a memory, an output.

    Args:
        name: The name of an argument or a field.
    """
    return _FURTHER_NAMES.match(name) is not None


def ends_as_size(name: str) -> bool:
    """Say whether a name ends as those of sizes do, whatever it is a size of: ``FC_DIM_SIZE``, ``gru_hidden_dim``.

    Args:
        name: The name of a field of a configuration.
    """
    return re.search(r"_(size|dim|units|features|width|channels)$", name, re.I) is not None


def has_both_sizes(names: Iterable[str]) -> bool:
    """Say whether one name is that of an input size alone, and one that of a hidden size alone.

    Args:
        names: The names of arguments or fields.
    """
    listed = list(names)
    inputs = [name for name in listed if _INPUT_NAMES.match(name)]
    hidden = [name for name in listed if _HIDDEN_NAMES.match(name) and name not in inputs]
    return len(inputs) == 1 == len(hidden)


def is_size_name(name: str) -> bool:
    """Say whether a name may be that of a size.

    Args:
        name: The name of an argument, a field or an attribute.
    """
    return any(pattern.match(name) for pattern in (_INPUT_NAMES, _HIDDEN_NAMES, _HIDDEN_IF_ALONE, _INPUT_IF_ALONE))


def argument_names(function: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a function or class by name; none where it does not show them.

    Args:
        function: A function or class, of Python or not.
    """
    try:
        known = inspect.signature(function).parameters
        if isinstance(function, type) and known and all(argument.kind in _VARIADIC for argument in known.values()):
            # What makes the objects of its class takes any arguments, as in flax.nnx, and hands them to __init__.
            own = inspect.signature(function.__init__).parameters  # type: ignore[misc]  # of this very class
            return dict(itertools.islice(own.items(), 1, None))
    except (TypeError, ValueError):
        return {}
    return known


def names_sizes(names: Iterable[str]) -> bool:
    """Say whether these are the arguments of a function that makes cells of given sizes, and not of one step.

    Args:
        names: The names of all arguments.
    """
    listed = set(names)
    found = size_names(listed)
    return (
        bool({*found.inputs, *found.hidden} - {"n", "d", "x", "h", "inputs", "input", "state", "hidden", "memory"})
        or {
            "n",
            "d",
        }
        <= listed
    )
