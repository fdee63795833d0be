"""What to say of a function of JAX that cannot be driven: how it was called, what came of it, and lines to paste."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_harness.errors import named_error
from rnn_harness.runtime.target_call import call_target
from rnn_harness.validation.cells.callable_facts import name_of
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size
from rnn_harness.validation.loading.adapters.jax_functions import import_jax
from rnn_harness.validation.loading.adapters.step_signature import StepSignature


def no_step_of_jax(step: StepSignature, make_tree: Callable[[CellSizes], object] | None, sizes: CellSizes) -> str:
    """Say why a function of JAX is not driven as a step.

    Args:
        step: The function, its arguments sorted by what they are named like.
        make_tree: Makes its parameters; None where nothing is known to make them.
        sizes: The input size and the hidden size.
    """
    rows, d = distinct_batch_size(*sizes), sizes.hidden_size
    dots = ", ".join(f"{name}=..." for name in step.required)
    return (
        f"cannot drive {step.text}: {_first_call(step, make_tree, sizes)}; expected the next state {(rows, d)}, or the "
        f"outputs of all steps, for {sizes.input_size} inputs, {d} units and {rows} rows.\n"
        "Write these lines next to it, fill in the dots, and name driven after the file, with --init "
        "params=make_params:\n"
        "    def make_params(key, n, d):\n"
        "        return ...  # its parameters for n inputs and d units\n"
        "    def driven(params, x, h):  # x (B, n) and h (B, d) in, the next h (B, d) out; (h, c) for two states\n"
        f"        return {name_of(step.function)}({dots})"
    )


def _first_call(step: StepSignature, make_tree: Callable[[CellSizes], object] | None, sizes: CellSizes) -> str:
    """What the first way of calling it gave, or why it was not called."""
    data, parameters = " and ".join(step.data) or "nothing", " and ".join(step.parameters) or "nothing"
    if make_tree is None or not step.tree:
        lacking = "" if make_tree is not None else ", which nothing is known to make (--init params=NAME)"
        return f"by their names {data} is taken for its data, {parameters} for its parameters{lacking}"
    arguments = next(step.trial_data(*sizes))
    shown = ", ".join(f"{name} {np.shape(value)}" for name, value in zip(step.data, arguments, strict=True))
    try:
        result = call_target(import_jax().eval_shape, step.call, make_tree(sizes), arguments)
    except Exception as error:  # a function that is called in a wrong way may raise anything
        return f"called with {shown} it raised {named_error(error)}"
    shapes = [str(tuple(leaf.shape)) for leaf in import_jax().tree_util.tree_leaves(result)]
    return f"called with {shown} it gave {' and '.join(shapes) or 'no array'}"
