"""Cells of flax.linen, flax.nnx and equinox; and what they share, a pure function of a tree of parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError, first_line
from rnn_harness.options import Options
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayLibraryModule,
    ArrayResults,
    Cotangents,
)
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.jax_models import (
    JaxModelModule,
    equinox_parts,
    linen_parts,
    nnx_parts,
)
from rnn_harness.validation.loading.adapters.one_program import COMPILER_OPTIONS


def import_jax() -> Any:
    """JAX, with float64 switched on, and tracebacks left as they are: to shorten one takes longer than most calls.

    Raises:
        UsageError: It is not installed.
    """
    jax = import_library("jax", "jax")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_traceback_filtering", "off")
    return jax


class JaxFunction:
    """A pure function ``function(tree of parameters, *arguments)`` as an array function.

    Attributes:
        names: The paths of the leaves of the tree.
        initial_values: The leaves by their paths.

    Args:
        function: A pure function of the tree and the arguments; it is compiled with the first call.
        tree: The parameters, as JAX nests them.
    """

    def __init__(self, function: Callable[..., object], tree: object) -> None:
        self._jax = jax = import_jax()
        leaves, structure = jax.tree_util.tree_flatten_with_path(tree)
        self.names = tuple(_path_name(path) for path, _ in leaves)
        self.initial_values = {name: np.asarray(value) for name, (_, value) in zip(self.names, leaves, strict=True)}

        def flat_results(parameters: object, arguments: tuple[object, ...]) -> object:
            rebuilt = jax.tree_util.tree_unflatten(structure, parameters)
            return tuple(jax.tree_util.tree_leaves(function(rebuilt, *arguments)))

        def pulled_back(parameters: object, arguments: object, cotangents: object) -> object:
            return jax.vjp(flat_results, parameters, arguments)[1](cotangents)

        # Compiled from the first call on: what XLA compiles rounds otherwise than what runs operation by operation.
        self._run = jax.jit(flat_results, compiler_options=COMPILER_OPTIONS)
        self._pull_back = jax.jit(pulled_back, compiler_options=COMPILER_OPTIONS)

    def __deepcopy__(self, _: object) -> JaxFunction:
        """It holds no state, and what is compiled serves every copy of a module."""
        return self

    def with_tree(self, tree: object) -> JaxFunction:
        """Return the same function, compiled once for both, with other parameters.

        Args:
            tree: The parameters, nested as those that it was made with; they may have other sizes.
        """
        leaves, _ = self._jax.tree_util.tree_flatten_with_path(tree)
        changed = copy.copy(self)
        changed.initial_values = {_path_name(path): np.asarray(value) for path, value in leaves}
        return changed

    def __call__(self, parameters: Mapping[str, Array], arguments: ArrayArguments, differentiate: bool) -> ArrayResults:
        """Call the module's function on its tree of parameters."""
        tree_leaves, as_jax = self._jax.tree_util.tree_leaves, self._jax.numpy.asarray
        arrays = (*parameters.values(), *tree_leaves(arguments))
        double = any(array.dtype == np.float64 for array in arrays)
        with default_format(self._jax, double=double):
            leaves = [as_jax(parameters[name]) for name in self.names]
            converted = self._jax.tree_util.tree_map(as_jax, arguments)
            results = self._run(leaves, converted)

        def pullback(cotangents: Sequence[Array]) -> Cotangents:
            with default_format(self._jax, double=double):
                incoming = tuple(as_jax(cotangent) for cotangent in cotangents)
                gradients, argument_gradients = self._pull_back(leaves, converted, incoming)
            return Cotangents(
                dict(zip(self.names, map(np.asarray, gradients), strict=True)),
                [np.asarray(gradient) for gradient in tree_leaves(argument_gradients)],
            )

        return ArrayResults([np.asarray(result) for result in results], pullback)


def _path_name(path: Iterable[object]) -> str:
    """A path in a tree as it is usually written, without the steps that wrap a value."""
    # Steps of a path have a key, a name or an index, by the kind of their node.
    steps = [str(getattr(step, "key", getattr(step, "name", getattr(step, "idx", "")))) for step in path]
    return "/".join(step for step in steps if step not in ("value", "params"))


def jax_function_module(function: Callable[..., object], tree: object) -> ArrayLibraryModule:
    """Make a torch module of a pure function ``function(tree of parameters, *arguments)``.

    Args:
        function: The function, which JAX can trace.
        tree: The initial parameters; each leaf becomes a parameter of the module, named by its path.
    """
    return module_of_jax_function(JaxFunction(function, tree))


def module_of_jax_function(function: JaxFunction) -> ArrayLibraryModule:
    """Make a torch module of a function and its initial parameters.

    Args:
        function: The function; several modules may share what is compiled of it.
    """
    return ArrayLibraryModule(function, function.initial_values)


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
        jax = import_jax()
        key, x = jax.random.PRNGKey(0), jax.numpy.zeros((2, n), "float32")
        is_layer = not hasattr(cell, "initialize_carry")
        inner = getattr(cell, "cell", None) if is_layer else cell
        if inner is None or not hasattr(inner, "initialize_carry"):
            return _drive_by_arguments(jax, cell, n, d)
        try:
            with default_format(jax, double=False):
                carry = inner.initialize_carry(key, x.shape)
        except Exception:  # it is no method of flax's, and takes other arguments: (hidden_size, batch_size) for example
            return drive_with_resets(jax, cell, n, d) or _drive_by_arguments(jax, cell, n, d)
        states = len(jax.tree_util.tree_leaves(carry))

        def run_layer(tree: object, inputs: object, start: object) -> object:
            last, outputs = cell.apply({"params": tree}, inputs, initial_carry=start, return_carry=True)
            return outputs, last

        def run_cell(tree: object, *arguments: object) -> object:
            return cell.apply({"params": tree}, *arguments)

        try:
            with default_format(jax, double=False):
                variables = _initialised(jax, cell, x[:, None]) if is_layer else _initialised(jax, cell, carry, x)
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
    x, state = jax.numpy.zeros((rows, n), "float32"), jax.numpy.zeros((rows, d), "float32")
    carries = (state, (state, state), (state, state, state))
    attempts = [arguments for carry in carries for arguments in ((carry, x), (x, carry))]
    failure = ""
    for arguments in (*attempts, (jax.numpy.zeros((rows, steps, n), "float32"),)):
        try:
            with default_format(jax, double=False):
                jax.eval_shape(cell.init, jax.random.PRNGKey(0), *arguments)
                variables = _initialised(jax, cell, *arguments)
        except Exception as error:  # a user's module may raise anything
            failure = f"{type(error).__name__}: {first_line(error)}"
            continue
        module = _applied(cell, variables)
        parts = linen_parts(jax, cell, arguments[0]) if len(arguments) == 1 else []
        if parts:
            capabilities = TargetCapabilities(library="JAX", has_parts=True)
            return DrivenModule(JaxModelModule(module, parts, n), capabilities)
        return DrivenModule(module, TargetCapabilities(library="JAX"))
    raise UsageError(
        f"cannot drive {type(cell).__name__} of flax.linen: called with (carry, x), (x, carry) and (x), x {x.shape} "
        f"and states {state.shape}, it raised at last {failure}; expected the next carry of a step, or the outputs of "
        "inputs (B, T, n). Give it a method initialize_carry(rng, input_shape), as nn.RNNCellBase has"
    )


def _initialised(jax: Any, cell: Any, *arguments: Any) -> Any:
    """The variables of a module of flax.linen: one program is compiled sooner than each of its operations."""
    return jax.jit(cell.init, compiler_options=COMPILER_OPTIONS)(jax.random.PRNGKey(0), *arguments)


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
    carry = jax.numpy.zeros((rows, d), "float32")
    for grid, is_sequence in (((steps, rows), True), ((rows,), False)):
        x, never = jax.numpy.zeros((*grid, n), "float32"), jax.numpy.zeros(grid, bool)
        try:
            with default_format(jax, double=False):
                variables = _initialised(jax, cell, carry, (x, never))
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

        convention = plain_convention(is_sequence, 1, state_first=True)
        taken = (1, 0) if is_sequence else (0,)
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


class NnxAdapter:
    """Drives flax.nnx: cells are called with (carry, input)."""

    name = "flax.nnx"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class is a module of flax.nnx."""
        return comes_from(cell_type, "flax.nnx")

    def defaults(self, cell_type: type) -> Options:
        """Return random numbers for the initial parameters."""
        import_jax()
        return {"rngs": import_library("flax.nnx", "flax").Rngs(0)}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the cell."""
        import_jax()
        nnx = import_library("flax.nnx", "flax")
        graph, parameters, further_state = nnx.split(cell, nnx.Param, ...)

        def run(tree: object, *arguments: object) -> object:
            return nnx.merge(graph, tree, further_state)(*arguments)

        module = jax_function_module(run, parameters)
        is_cell = isinstance(cell, nnx.RNN | nnx.RNNCellBase)
        parts = [] if is_cell else nnx_parts(nnx, cell)
        if any(part.is_layer for part in parts):
            own = parts[0].sizes.input_size or n
            capabilities = TargetCapabilities(library="JAX", has_parts=True)
            return DrivenModule(JaxModelModule(module, parts, own), capabilities)
        return DrivenModule(module, TargetCapabilities(library="JAX"))


class EquinoxAdapter:
    """Drives equinox: cells are called with (input, state) of one row."""

    name = "equinox"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class is a module of equinox."""
        return comes_from(cell_type, "equinox")

    def defaults(self, cell_type: type) -> Options:
        """Return random numbers for the initial parameters."""
        return {"key": import_jax().random.PRNGKey(0)}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the cell over the rows of a batch."""
        jax = import_jax()
        equinox = import_library("equinox", "equinox")
        parameters, static_fields = equinox.partition(cell, equinox.is_inexact_array)

        def run(tree: object, *arguments: object) -> object:
            combined = equinox.combine(tree, static_fields)
            return jax.vmap(lambda *row: combined(*row))(*arguments)

        module = jax_function_module(run, parameters)
        parts = equinox_parts(jax, equinox, cell)
        if parts:
            capabilities = TargetCapabilities(library="JAX", has_parts=True)
            return DrivenModule(JaxModelModule(module, parts, parts[0].sizes.input_size), capabilities)
        return DrivenModule(module, TargetCapabilities(library="JAX"))
