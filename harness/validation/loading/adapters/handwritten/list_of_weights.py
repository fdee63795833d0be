"""A class that is made from one list of weights, ``LSTMLayer(weights)``, as one that is made from each of them."""

from __future__ import annotations

import re
from inspect import Parameter, Signature
from typing import Any

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.validation.loading.adapters.handwritten.argument_names import all_arguments, required_arguments

_LIST_OF_WEIGHTS = re.compile(r"^(weights?(_list)?|params|parameters|kernels)$", re.IGNORECASE)


def made_from_each(cell_type: type) -> type | None:
    """Return a class that takes the weights of a list apart: input weights, recurrent weights and a bias.

    That is the order in which Keras lists the weights of a layer.

    Args:
        cell_type: The class.

    Returns:
        A class of its name that inherits from it; None where its one required argument is not called weights.
    """
    names = [argument.name for argument in required_arguments(cell_type)]
    if len(names) != 1 or not _LIST_OF_WEIGHTS.match(names[0]):
        return None
    make = member(cell_type, "__init__")
    options = [argument for argument in all_arguments(cell_type) if argument.name != names[0]]

    def __init__(self: Any, kernel: Array, recurrent_kernel: Array, bias: Array, **options: object) -> None:
        """Hand the weights over in a list."""
        make(self, [kernel, recurrent_kernel, bias], **options)

    weights = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("kernel", "recurrent_kernel", "bias")]
    __init__.__signature__ = Signature([Parameter("self", Parameter.POSITIONAL_ONLY), *weights, *options])  # type: ignore[attr-defined]  # a function takes any attribute
    return type(cell_type.__name__, (cell_type,), {"__init__": __init__, "__module__": cell_type.__module__})
