"""Layers of JAX's libraries that take the lengths of the rows, or a mask, as layers that may be told them or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnn_harness.validation.cells.capabilities import PaddingArgument, TargetCapabilities
from rnn_harness.validation.cells.documented_mask import mask_in_texts
from rnn_harness.validation.cells.own_documentation import class_texts
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import PaddedArrayModule
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.jax_calls import ModelCall
from rnn_harness.validation.loading.adapters.jax_functions import JaxFunction

_NOTES = {
    "lengths": "its {} are those of all steps, so that no step is padding",
    "mask": "its {} is filled with ones, so that no step is padding",
    "padding mask": "its {} is filled with zeros, so that no step is padding",
}


def padded_layer(
    jax: Any,
    run: Callable[..., Any],
    tree: object,
    call: ModelCall,
    documented_class: type,
    shape: tuple[int, int, int],
) -> DrivenModule | None:
    """Drive what gives the states of all steps of a sequence of numbers, or the last one, and takes lengths or a mask.

    Args:
        jax: The library.
        run: What it computes of its parameters, a sequence (B, T, n), and lengths (B,) or a mask (B, T).
        tree: Its parameters.
        call: How it is called.
        documented_class: The class that says what the mask means.
        shape: B, T and d of a trial.

    Returns:
        None where it gives nothing of the width d, or takes something else.
    """
    inputs = call.inputs
    if inputs.vocabulary or len(inputs.further) != 1 or inputs.further[0].role == "sequence":
        return None
    (known,) = inputs.further
    rows, steps, width = shape

    def complete(tree: object, x: Any, *given: object) -> object:
        rows, steps = x.shape[:2]
        full = jax.numpy.full((rows,), steps) if known.role == "lengths" else None
        mask = jax.numpy.full((rows, steps), known.role == "mask") if full is None else full
        return run(tree, x, *(given or (mask,)))

    with default_format(jax, double=False):
        results = jax.eval_shape(complete, tree, call.examples(jax, rows, steps)[0])
    shapes = [leaf.shape for leaf in jax.tree_util.tree_leaves(results)]
    if not any(found in ((rows, steps, width), (rows, width)) for found in shapes):
        return None
    documented = mask_in_texts(class_texts(documented_class), known.name)
    is_known = known.role == "lengths" or documented is not None
    padding = PaddingArgument(known.name, documented.counting if documented is not None else None) if is_known else None
    function = JaxFunction(complete, tree)
    notes = (_NOTES[known.role].format(known.name),)
    module = PaddedArrayModule(function, function.initial_values, 1)
    dtypes = (
        ("float64", "float32") if _runs_in_double(jax, complete, tree, (rows, steps, inputs.features)) else ("float32",)
    )
    return DrivenModule(module, TargetCapabilities(dtypes, library="JAX", padding=padding, notes=notes))


def _runs_in_double(jax: Any, run: Callable[..., Any], tree: object, shape: tuple[int, int, int]) -> bool:
    """Say whether a layer runs in float64; one whose carry begins in float32 whatever its inputs are does not."""
    with default_format(jax, double=True):
        doubled = jax.tree_util.tree_map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, "float64"), tree)
        try:
            jax.eval_shape(run, doubled, jax.ShapeDtypeStruct(shape, "float64"))
        except Exception:  # a user's module may raise anything
            return False
    return True
