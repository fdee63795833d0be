"""Cells and models of flax.nnx and equinox; and what all of JAX's share, a pure function of a tree of parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.options import Options
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import (
    DrivenModule,
    HeldPart,
    ModelInputs,
    comes_from,
    import_library,
)
from rnn_harness.validation.loading.adapters.array_bridge import (
    ArrayArguments,
    ArrayLibraryModule,
    ArrayResults,
    Cotangents,
)
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.jax_calls import ModelCall, model_calls
from rnn_harness.validation.loading.adapters.jax_models import (
    JaxModelModule,
    equinox_parts,
    is_equinox_cell,
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
        jax = import_jax()
        nnx = import_library("flax.nnx", "flax")
        graph, parameters, further_state = nnx.split(cell, nnx.Param, ...)

        def run(tree: object, *arguments: object, **keywords: object) -> object:
            return nnx.merge(graph, tree, further_state)(*arguments, **keywords)

        module = jax_function_module(run, parameters)
        is_cell = isinstance(cell, nnx.RNN | nnx.RNNCellBase)
        parts = [] if is_cell else nnx_parts(nnx, cell)
        if not is_cell:
            tokens = [node.num_embeddings for _, node in nnx.iter_graph(cell) if isinstance(node, nnx.Embed)]
            driven = _drive_model(jax, cell, run, parameters, parts, n, tokens)
            if driven is not None:
                return driven
        if any(part.is_layer for part in parts):
            inputs = ModelInputs(parts[0].sizes.input_size or n)
            capabilities = TargetCapabilities(library="JAX", has_parts=True)
            return DrivenModule(JaxModelModule(module, parts, inputs, type(cell)), capabilities)
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

        def run(tree: object, *arguments: object, **keywords: object) -> object:
            combined = equinox.combine(tree, static_fields)
            fixed = {name: value for name, value in keywords.items() if not hasattr(value, "shape")}
            of_rows = {name: value for name, value in keywords.items() if name not in fixed}
            return jax.vmap(lambda row, named: combined(*row, **named, **fixed))(arguments, of_rows)

        module = jax_function_module(run, parameters)
        parts = equinox_parts(jax, equinox, cell)
        if not is_equinox_cell(equinox, cell):
            embeddings = jax.tree_util.tree_leaves(cell, is_leaf=lambda node: isinstance(node, equinox.nn.Embedding))
            tokens = [node.num_embeddings for node in embeddings if isinstance(node, equinox.nn.Embedding)]
            driven = _drive_model(jax, cell, run, parameters, parts, n, tokens)
            if driven is not None:
                return driven
        if parts:
            inputs = ModelInputs(parts[0].sizes.input_size)
            capabilities = TargetCapabilities(library="JAX", has_parts=True)
            return DrivenModule(JaxModelModule(module, parts, inputs, type(cell)), capabilities)
        return DrivenModule(module, TargetCapabilities(library="JAX"))


def _drive_model(
    jax: Any,
    model: Any,
    run: Callable[..., object],
    parameters: object,
    parts: Sequence[HeldPart],
    n: int,
    vocabularies: Sequence[int],
) -> DrivenModule | None:
    """Drive a model that takes tokens, or more than a sequence; None where it takes neither.

    Args:
        jax: The library.
        model: The model.
        run: What it computes of its parameters, with arguments (B, ...).
        parameters: Its parameters.
        parts: Its recurrent parts.
        n: The input size, where none of its parts says it.
        vocabularies: How many tokens each of its embeddings takes.
    """
    own_size = next((part.sizes.input_size for part in parts if part.sizes.input_size), n)
    for call in model_calls(jax, type(model).__call__, own_size):
        is_plain = not call.inputs.further and not call.fixed and not call.inputs.vocabulary
        if is_plain or (call.inputs.vocabulary and not vocabularies):
            continue
        inputs = replace(call.inputs, vocabulary=min(vocabularies)) if call.inputs.vocabulary else call.inputs

        def run_call(tree: object, x: object, *further: object, call: ModelCall = call) -> object:
            return run(tree, x, **call.keywords(further))

        examples = call.examples(jax, distinct_batch_size(own_size, 3), distinct_step_count(own_size, 3))
        try:
            with default_format(jax, double=False):
                jax.eval_shape(run_call, parameters, *examples)
        except Exception:  # a user's module may raise anything
            continue
        model_module = JaxModelModule(jax_function_module(run_call, parameters), parts, inputs, type(model))
        return DrivenModule(model_module, TargetCapabilities(library="JAX", has_parts=True))
    return None
