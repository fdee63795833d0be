"""Functions on JAX arrays, run on shapes alone: nothing is compiled while shapes are tried."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np

from rnn_harness.attributes import member
from rnn_harness.validation.loading.adapters.inferred_weights.infer import ArrayLibrary
from rnn_harness.validation.loading.adapters.inferred_weights.operations import call, takes_parameters

_OF_NUMBERS = (
    "dot matmul einsum vdot inner tensordot tanh exp clip where concatenate hstack vstack stack split maximum minimum "
    "add multiply subtract reshape broadcast_to zeros_like ones_like squeeze"
)
_OF_NETWORKS = "sigmoid tanh relu softplus silu gelu"


def jax_library(jax: Any) -> ArrayLibrary:
    """Return how functions on JAX arrays are run.

    Args:
        jax: The module.
    """

    def run_abstractly(function: Callable[..., Any], arguments: dict[str, object]) -> Any:
        with _knowing_parameters(jax):
            return jax.eval_shape(lambda values: function(**values), arguments)

    return ArrayLibrary(np.asarray, np.asarray, jax.tree_util.tree_leaves, run_abstractly)


@contextlib.contextmanager
def _knowing_parameters(jax: Any) -> Iterator[None]:
    """Let functions of JAX take parameters of unknown shape: it asks none of its arguments, as NumPy does."""
    with contextlib.ExitStack() as changes:
        for module, names in ((jax.numpy, _OF_NUMBERS), (jax.nn, _OF_NETWORKS)):
            for name in names.split():
                changes.enter_context(mock.patch.object(module, name, _asking(name, member(module, name))))
        yield


def _asking(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; if it is called with parameters of unknown shape, they get one."""

    def called(*values: Any, **keywords: Any) -> Any:
        if takes_parameters(values):
            return call(name, function, values, keywords)
        return function(*values, **keywords)

    return called
