"""A pair of JAX functions that is a model: ``apply`` takes a sequence of numbers or tokens, and gives predictions."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, ModelInputs
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.haiku_modules import haiku_parts
from rnn_harness.validation.loading.adapters.jax_functions import import_jax, jax_function_module
from rnn_harness.validation.loading.adapters.jax_models import JaxModelModule
from rnn_harness.validation.loading.adapters.parameter_trees import tree_leaves


class ModelOfPair(NamedTuple):
    """A pair of functions, driven as a model.

    Attributes:
        driven: The model.
        may_be_layer: Whether it gives something for each step of numbers, as a layer gives its states.
    """

    driven: DrivenModule
    may_be_layer: bool


def model_of_pair(init: Callable[..., Any], apply: Callable[..., Any], sizes: CellSizes) -> ModelOfPair | None:
    """Drive a pair of functions as a model; None where ``apply`` takes more than a sequence, or no sequence.

    Args:
        init: Makes the parameters from a source of random numbers and the first sequence.
        apply: Computes from the parameters and a sequence.
        sizes: The sizes that are tried.
    """
    jax = import_jax()
    if len(inspect.signature(apply).parameters) != 2:
        return None
    rows, steps = distinct_batch_size(*sizes), distinct_step_count(*sizes)

    def run(tree: Any, x: Any) -> Any:
        return apply(tree, x)

    for takes_tokens in (False, True):
        x = np.zeros((rows, steps), "int32") if takes_tokens else np.zeros((rows, steps, sizes.input_size), "float32")
        try:
            with default_format(jax, double=False):
                tree = call_target(init, jax.random.PRNGKey(0), x)
                result = jax.tree_util.tree_leaves(jax.eval_shape(run, tree, x))
        except Exception:  # a user's function that is called in a wrong way may raise anything
            continue
        tables = [
            int(np.asarray(leaf.value).shape[0]) for leaf in tree_leaves(tree) if leaf.path.endswith("embeddings")
        ]
        if not any(tree_leaves((tree,))) or (takes_tokens and not tables):
            continue
        inputs = ModelInputs(0, min(tables)) if takes_tokens else ModelInputs(sizes.input_size)
        parts = haiku_parts(functools.partial(jax.eval_shape, run, tree, x)) if "haiku" in sys.modules else ()
        module = JaxModelModule(jax_function_module(run, tree), parts, inputs, type(init))
        may_be_layer = not takes_tokens and any(leaf.shape[:2] == (rows, steps) for leaf in result)
        return ModelOfPair(DrivenModule(module, TargetCapabilities(library="JAX", has_parts=True)), may_be_layer)
    return None
