"""Cells, layers and models of flax.linen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.attributes import attribute
from rnn_harness.errors import UsageError, first_line
from rnn_harness.options import Options
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.jax_calls import ModelCall, model_calls
from rnn_harness.validation.loading.adapters.jax_functions import (
    JaxFunction,
    import_jax,
    jax_function_module,
    zeros_in_shape,
)
from rnn_harness.validation.loading.adapters.jax_models import JaxModelModule, linen_parts
from rnn_harness.validation.loading.adapters.jax_padded import padded_layer
from rnn_harness.validation.loading.adapters.linen_policies import linen_policy
from rnn_harness.validation.loading.adapters.one_program import compiler_options


class LinenAdapter:
    """Drives flax.linen: cells are called with (carry, input), layers with inputs and an initial carry."""

    name = "flax.linen"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class is a module of flax.linen."""
        return comes_from(cell_type, "flax.linen")

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: the sizes suffice."""
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the cell, or a layer made of one."""
        return self._driven(cell, n, d, _initialised)

    def drive_without_values(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive it with zeros for parameters: to compile what draws them takes twenty times as long as the cell."""
        return self._driven(cell, n, d, _shaped)

    def _driven(self, cell: Any, n: int, d: int, initialised: Callable[..., Any]) -> DrivenModule:
        """Drive the cell, or a layer made of one, with variables that are made in a way."""
        jax = import_jax()
        key, x = jax.random.PRNGKey(0), np.zeros((2, n), "float32")
        is_layer = not hasattr(cell, "initialize_carry")
        inner = attribute(cell, "cell", object) if is_layer else cell
        if inner is None or not hasattr(inner, "initialize_carry"):
            return _drive_by_arguments(jax, cell, n, d)
        try:
            with default_format(jax, double=False):
                carry = inner.initialize_carry(key, x.shape)
        except Exception:  # it is no method of flax's, and takes other arguments: (hidden_size, batch_size) for example
            return drive_with_resets(jax, cell, n, d) or _drive_by_arguments(jax, cell, n, d)
        states = len(jax.tree_util.tree_leaves(carry))

        def run_layer(tree: object, inputs: object, start: object) -> object:
            last, outputs = cell.apply({**variables, "params": tree}, inputs, initial_carry=start, return_carry=True)
            return outputs, last

        def run_cell(tree: object, *arguments: object) -> object:
            return cell.apply({**variables, "params": tree}, *arguments)

        try:
            with default_format(jax, double=False):
                arguments = (x[:, None],) if is_layer else (carry, x)
                variables = initialised(jax, cell.init, *arguments)
        except Exception as error:  # a user's module may raise anything
            call = f"inputs {x[:, None].shape}" if is_layer else f"(carry, inputs {x.shape})"
            raise UsageError(
                f"{type(cell).__name__} of flax.linen, called with {call}, raised {type(error).__name__}: "
                f"{first_line(error)}; expected a cell of (carry, inputs) or a layer of inputs (B, T, n)"
            ) from None
        if is_layer:
            convention = plain_convention(True, states, batch_first=True)
            if cell.reverse:  # nn.RNN; keep_order turns its outputs back
                convention = replace(convention, reading="backward" if cell.keep_order else "backward, not turned back")
        else:
            convention = plain_convention(False, states, state_first=True)
        return DrivenModule(
            jax_function_module(run_layer if is_layer else run_cell, dict(variables["params"])),
            TargetCapabilities(calling_convention=convention, library="JAX"),
        )


def _drive_by_arguments(jax: Any, cell: Any, n: int, d: int) -> DrivenModule:
    """Drive a module of flax.linen that does not say what its carry is, by the arguments that it takes.

    Raises:
        UsageError: It takes neither a carry and inputs, nor inputs alone.
    """
    rows, steps = distinct_batch_size(n, d), distinct_step_count(n, d)
    attempts = list(_stateful_calls(jax, (rows, steps), CellSizes(n, d)))
    calls = list(model_calls(jax, type(cell).__call__, n))
    if calls and calls[0].inputs.further:
        attempts.clear()
    failure = ""
    others = _stateful_calls(jax, (rows + 1, steps + 1), CellSizes(n, d))
    for arguments, with_more_rows in zip(attempts, others, strict=False):
        try:
            with default_format(jax, double=False):
                if _parameter_shapes(jax, cell, arguments) != _parameter_shapes(jax, cell, with_more_rows):
                    continue  # it takes rows, or steps, for features
                variables = _initialised(jax, cell.init, *arguments)
        except Exception as error:  # a user's module may raise anything
            failure = f"{type(error).__name__}: {first_line(error)}"
            continue
        return DrivenModule(_applied(cell, variables), TargetCapabilities(library="JAX"))
    for call in calls:
        try:
            with default_format(jax, double=False):
                driven = _drive_model(jax, cell, call, (rows, steps, d))
        except Exception as error:  # a user's module may raise anything
            failure = failure or f"{type(error).__name__}: {first_line(error)}"
            continue
        return driven
    policy = linen_policy(jax, cell, n)
    if policy is not None:
        return policy
    raise UsageError(
        f"cannot drive {type(cell).__name__} of flax.linen: called with (carry, x), (x, carry) and (x), x {(rows, n)} "
        f"and states {(rows, d)}, it raised at last {failure}; expected the next carry of a step, or the outputs of "
        "inputs (B, T, n). Give it a method initialize_carry(rng, input_shape), as nn.RNNCellBase has"
    )


def _stateful_calls(jax: Any, lengths: tuple[int, int], sizes: CellSizes) -> Iterator[tuple[Any, ...]]:
    """Yield what a module with a carry may be called with: of one step, or of a sequence, the carry first or last."""
    (rows, steps), (n, d) = lengths, sizes
    state = jax.numpy.zeros((rows, d), "float32")
    for shape in ((rows, n), (rows, steps, n), (steps, rows, n)):
        x = jax.numpy.zeros(shape, "float32")
        for carry in (state, (state, state), (state, state, state)):
            yield from ((carry, x), (x, carry))


def _parameter_shapes(jax: Any, cell: Any, arguments: tuple[Any, ...]) -> list[tuple[int, ...]]:
    """The shapes of the parameters that a module has when it is called so."""
    variables = jax.eval_shape(cell.init, jax.random.PRNGKey(0), *arguments)
    return [leaf.shape for leaf in jax.tree_util.tree_leaves(variables)]


def _drive_model(jax: Any, cell: Any, call: ModelCall, shape: tuple[int, int, int]) -> DrivenModule:
    """Drive a module of flax.linen that is called with a sequence, and with what may come besides it."""

    def initialise(key: Any, x: object, *further: object) -> Any:
        return cell.init(key, x, **call.keywords(further))

    examples = call.examples(jax, *shape[:2])
    parts = linen_parts(jax, initialise, examples)  # first: a second trace of a function calls nothing of it
    variables = _initialised(jax, initialise, *examples)

    def run(tree: object, x: object, *further: object) -> object:
        return cell.apply({**variables, "params": tree}, x, **call.keywords(further))

    tree = dict(variables.get("params", {}))
    module, inputs = jax_function_module(run, tree), call.inputs
    layer = padded_layer(jax, run, tree, call, type(cell), shape) if len(parts) < 2 else None
    if layer is not None and not parts:
        return layer
    if not parts and not inputs.vocabulary and not inputs.further:
        return DrivenModule(module, TargetCapabilities(library="JAX"))
    if inputs.vocabulary:
        inputs = replace(inputs, vocabulary=_vocabulary(tree) or inputs.vocabulary)
    model = JaxModelModule(module, parts, inputs, type(cell), layer)
    return DrivenModule(model, TargetCapabilities(library="JAX", has_parts=True))


def _vocabulary(tree: Mapping[str, Any]) -> int:
    """The number of tokens that the smallest embedding of a model takes; 0 where it has none."""
    leaves = JaxFunction(lambda _: (), tree).initial_values
    return min((value.shape[0] for name, value in leaves.items() if "embedding" in name), default=0)


def _initialised(jax: Any, initialise: Callable[..., Any], *arguments: Any) -> Any:
    """The variables of a module of flax.linen: one program is compiled sooner than each of its operations."""
    return jax.jit(initialise, compiler_options=compiler_options(jax))(jax.random.PRNGKey(0), *arguments)


def _shaped(jax: Any, initialise: Callable[..., Any], *arguments: Any) -> Any:
    """Variables whose parameters are zeros; where there are others besides parameters, they have their values."""
    variables = zeros_in_shape(initialise, jax.random.PRNGKey(0), *arguments)
    return variables if set(variables) == {"params"} else _initialised(jax, initialise, *arguments)


def drive_with_resets(jax: Any, cell: Any, n: int, d: int) -> DrivenModule | None:
    """Drive a module of flax.linen that is called with a carry and a pair of inputs and resets; None if none fits.

    Recurrent policies are written so: a sequence (T, B, n) with a flag (T, B) at which a row's carry is begun anew.

    Args:
        jax: The library.
        cell: The module.
        n: The input size.
        d: The hidden size, which may have to be the input size.
    """
    rows, steps = distinct_batch_size(n, d), distinct_step_count(n, d)
    state = jax.numpy.zeros((rows, d), "float32")
    grids = (((steps, rows), True), ((rows,), False))
    for (grid, is_sequence), states in itertools.product(grids, (1, 2)):
        carry = state if states == 1 else (state, state)
        x, never = jax.numpy.zeros((*grid, n), "float32"), jax.numpy.zeros(grid, bool)
        try:
            with default_format(jax, double=False):
                variables = _initialised(jax, cell.init, carry, (x, never))
                results = cell.apply(variables, carry, (x, never))
            shapes = [leaf.shape for leaf in jax.tree_util.tree_leaves(results)]
        except Exception:  # a user's module may raise anything
            continue
        if (rows, d) not in shapes:
            continue

        def module_at(flag: bool, variables: Mapping[str, Any] = variables) -> ArrayLibraryModule:
            def run(tree: object, state: Any, inputs: Any) -> object:
                flags = jax.numpy.full(inputs.shape[:-1], flag)
                return cell.apply({**variables, "params": tree}, state, (inputs, flags))

            return jax_function_module(run, dict(variables.get("params", {})))

        convention = plain_convention(is_sequence, states, state_first=True)
        of_carry = tuple(range(states))
        taken = (states, *of_carry) if is_sequence else of_carry
        note = "it is called with a pair of inputs and resets, which are false, so that no state is reset"
        capabilities = TargetCapabilities(
            library="JAX",
            calling_convention=replace(convention, taken=taken),
            make_restarting=lambda _n, _d, module_at=module_at: module_at(True),  # type: ignore[misc]
            notes=(note,),
        )
        return DrivenModule(module_at(False), capabilities)
    return None


def size_with_resets(cell: Any) -> CellSizes | None:
    """Return a size for a module of flax.linen with resets whose inputs are as wide as its carry; None for any other.

    Args:
        cell: The module.
    """
    jax = import_jax()
    if not hasattr(cell, "initialize_carry") or drive_with_resets(jax, cell, 5, 3) is not None:
        return None
    return CellSizes(4, 4) if drive_with_resets(jax, cell, 4, 4) is not None else None


def _applied(cell: Any, variables: Mapping[str, Any]) -> ArrayLibraryModule:
    """The module of flax.linen as a function of its parameters."""

    def run(tree: object, *arguments: object) -> object:
        return cell.apply({**variables, "params": tree}, *arguments)

    return jax_function_module(run, dict(variables.get("params", {})))
