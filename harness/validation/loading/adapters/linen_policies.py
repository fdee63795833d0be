"""Policies of flax.linen that hand a carry, and a pair of observations and resets, to a recurrent part inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import (
    DrivenModule,
    FurtherInput,
    HeldPart,
    ModelInputs,
    import_library,
)
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.jax_functions import jax_function_module
from rnn_harness.validation.loading.adapters.jax_models import JaxModelModule, linen_parts
from rnn_harness.validation.loading.adapters.one_program import compiler_options


class LinenPolicy(JaxModelModule):
    """A policy that is called with observations (T, B, n), the carry that it begins with, and resets (T, B)."""

    def forward(self, x: Tensor, *carry: Tensor, resets: Tensor | None = None) -> Any:  # type: ignore[override]
        """Run the policy; without resets no carry is begun anew.

        Args:
            x: Observations (T, B, n).
            carry: The tensors of the carry, each (B, d).
            resets: Where a row's carry is begun anew, (T, B).
        """
        return super().forward(x, *carry, *(() if resets is None else (resets,)))


def linen_policy(jax: Any, cell: Any, n: int) -> DrivenModule | None:
    """Drive a module of flax.linen that is called as ``(carry, (observations, resets))``; None where it is no such one.

    The observations are (T, B, n) and the resets (T, B), as recurrent policies have them. How wide the carry is says
    the cell inside, which knows it before the module does.

    Args:
        jax: The library.
        cell: The module.
        n: The width of the observations.
    """
    rows, steps = distinct_batch_size(n, 3), distinct_step_count(n, 3)
    x, never = jax.numpy.zeros((steps, rows, n), "float32"), jax.numpy.zeros((steps, rows), bool)
    with default_format(jax, double=False):
        carry = _carry_of_inner_cell(jax, cell, (x, never))
        if carry is None:
            return None
        leaves, structure = jax.tree_util.tree_flatten(carry)

        def initialise(key: Any, start: object, pair: object) -> Any:
            return cell.init(key, start, pair)

        try:
            parts = linen_parts(jax, initialise, (carry, (x, never)))
            compiled = jax.jit(initialise, compiler_options=compiler_options(jax))
            variables = compiled(jax.random.PRNGKey(0), carry, (x, never))
            results = jax.eval_shape(cell.apply, variables, carry, (x, never))
        except Exception:  # a user's module may raise anything
            return None
    gives_steps = any(leaf.shape[:2] == (steps, rows) for leaf in jax.tree_util.tree_leaves(results))
    if not parts or not gives_steps:
        return None

    def run(tree: object, observations: Any, *further: Any) -> object:
        start, flags = further[: len(leaves)], further[len(leaves) :]
        shape = observations.shape[:2]
        resets = flags[0] if flags else jax.numpy.zeros(shape, bool)
        if resets.shape != shape:
            raise ValueError(f"resets {resets.shape} are not one for each of {shape}")
        pair = observations, resets.astype(bool)
        return cell.apply({**variables, "params": tree}, jax.tree_util.tree_unflatten(structure, start), pair)

    states = tuple(
        FurtherInput(f"carry {place + 1}", "state", shape=(0, *leaf.shape[1:])) for place, leaf in enumerate(leaves)
    )
    module: ArrayLibraryModule = jax_function_module(run, dict(variables.get("params", {})))
    policy = LinenPolicy(module, _of_their_own_sizes(parts), ModelInputs(n, further=states, rows_axis=1), type(cell))
    return DrivenModule(policy, TargetCapabilities(library="JAX", has_parts=True))


def _of_their_own_sizes(parts: Sequence[HeldPart]) -> list[HeldPart]:
    """The parts of which the sizes are known: those without cannot be made."""
    return [part for part in parts if part.sizes.input_size and part.sizes.hidden_size]


def _carry_of_inner_cell(jax: Any, cell: Any, pair: tuple[Any, Any]) -> Any:
    """The carry (zeros) of the recurrent cell that a module calls, for the rows of a pair; None where it calls none."""
    linen = import_library("flax.linen", "flax")
    rows, cells = pair[0].shape[1], []

    def observe(call: Callable[..., Any], arguments: Any, keywords: Any, context: Any) -> Any:
        if isinstance(context.module, linen.RNNCellBase) and context.method_name == "__call__":
            cells.append((context.module.clone(parent=None, name=None), arguments[-1].shape[-1]))
        return call(*arguments, **keywords)

    for start in (jax.numpy.zeros((rows, 1), "float32"), (jax.numpy.zeros((rows, 1), "float32"),) * 2):
        try:
            with linen.intercept_methods(observe):
                jax.eval_shape(cell.init, jax.random.PRNGKey(0), start, pair)
        except Exception:  # a carry of another width, or with another number of states
            pass
        if cells:
            inner, width = cells[0]
            return inner.initialize_carry(jax.random.PRNGKey(0), (rows, width))
    return None
