"""Cells, layers and models of flax.nnx and equinox."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_harness.options import Options
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.cells.distinct_sizes import distinct_batch_size, distinct_step_count
from rnn_harness.validation.loading.adapters.adapter import (
    DrivenModule,
    HeldPart,
    ModelInputs,
    comes_from,
    import_library,
)
from rnn_harness.validation.loading.adapters.annotated_states import annotated_state
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments
from rnn_harness.validation.loading.adapters.jax_calls import ModelCall, model_calls
from rnn_harness.validation.loading.adapters.jax_functions import import_jax, jax_function_module
from rnn_harness.validation.loading.adapters.jax_models import (
    JaxModelModule,
    equinox_parts,
    is_equinox_cell,
    nnx_parts,
)
from rnn_harness.validation.loading.adapters.jax_padded import padded_layer


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
        # What counts random numbers is written to while a call is traced; Flax 0.10 knows no other way than that.
        copied = {"copy": True} if "copy" in inspect.signature(nnx.merge).parameters else {}

        def run(tree: object, *arguments: object, **keywords: object) -> object:
            return nnx.merge(graph, tree, further_state, **copied)(*arguments, **keywords)

        module = jax_function_module(run, parameters)
        is_cell = isinstance(cell, nnx.RNN | nnx.RNNCellBase)
        parts = [] if is_cell else nnx_parts(nnx, cell)
        if not is_cell:
            tokens = [node.num_embeddings for _, node in nnx.iter_graph(cell) if isinstance(node, nnx.Embed)]
            driven = _drive_model(jax, cell, run, parameters, parts, CellSizes(n, d), tokens)
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

    def make_without_values(self, make: Callable[[], Any]) -> Any:
        """Make a module with zeros for parameters: to compile what draws them takes longer than the cell."""
        jax, equinox = import_jax(), import_library("equinox", "equinox")

        def zeros(leaf: Any) -> Any:
            if not isinstance(leaf, jax.ShapeDtypeStruct):
                return leaf
            if not jax.numpy.issubdtype(leaf.dtype, jax.numpy.inexact):
                raise TypeError("no parameter, and so its value counts")
            return jax.numpy.asarray(np.zeros(leaf.shape, leaf.dtype))

        try:
            return jax.tree_util.tree_map(zeros, equinox.filter_eval_shape(make))
        except Exception:  # its constructor may look at the values, or hold what cannot be traced
            return make()

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the cell over the rows of a batch."""
        jax = import_jax()
        equinox = import_library("equinox", "equinox")
        parameters, static_fields = equinox.partition(cell, equinox.is_inexact_array)

        parts = equinox_parts(jax, equinox, cell)
        own = parts[0].sizes if parts else CellSizes(n, d)
        is_batched = not is_equinox_cell(equinox, cell) and takes_batches(jax, cell, own)
        state = annotated_state(type(cell))

        def run(tree: object, *arguments: object, **keywords: object) -> object:
            combined = equinox.combine(tree, static_fields)
            if is_batched:
                return combined(*arguments, **keywords)
            fixed = {name: value for name, value in keywords.items() if not hasattr(value, "shape")}
            of_rows = {name: value for name, value in keywords.items() if name not in fixed}

            def call(row: tuple[object, ...], named: Options) -> object:
                if state is None:
                    return combined(*row, **named, **fixed)
                return state.unpacked(combined(*state.packed(row), **named, **fixed))

            return jax.vmap(call)(arguments, of_rows)

        module = jax_function_module(run, parameters)
        if not is_equinox_cell(equinox, cell):
            embeddings = jax.tree_util.tree_leaves(cell, is_leaf=lambda node: isinstance(node, equinox.nn.Embedding))
            tokens = [node.num_embeddings for node in embeddings if isinstance(node, equinox.nn.Embedding)]
            driven = _drive_model(jax, cell, run, parameters, parts, CellSizes(n, d), tokens)
            if driven is not None:
                return driven
        if parts:
            inputs = ModelInputs(parts[0].sizes.input_size)
            capabilities = TargetCapabilities(library="JAX", has_parts=True)
            return DrivenModule(JaxModelModule(module, parts, inputs, type(cell)), capabilities)
        return DrivenModule(module, TargetCapabilities(library="JAX"))


def takes_batches(jax: Any, model: Any, sizes: CellSizes) -> bool:
    """Say whether a module of equinox maps the rows of a batch itself: it takes a batch, and not one row.

    Args:
        jax: The library.
        model: The module.
        sizes: What it is made for.
    """
    rows, steps = distinct_batch_size(*sizes), distinct_step_count(*sizes)
    count = len(required_arguments(type(model).__call__)) - 1

    def takes(lead: tuple[int, ...], of_state: tuple[int, ...]) -> bool:
        x, state = (jax.ShapeDtypeStruct(shape, "float32") for shape in ((*lead, sizes[0]), (*of_state, sizes[1])))
        ways = [(state,) * (count - 1)] + [((state, state),)] * (count == 2)
        return any(_can_be_called(jax, model, (x, *states)) for states in ways)

    of_rows = takes((steps,), ()) or takes((), ())
    return not of_rows and (takes((rows, steps), (rows,)) or takes((rows,), (rows,)))


def _can_be_called(jax: Any, model: Any, shapes: tuple[Any, ...]) -> bool:
    """Whether a model can be traced with arguments of such shapes."""
    try:
        jax.eval_shape(model, *shapes)
    except Exception:  # a user's module that is called in a wrong way may raise anything
        return False
    return True


def _drive_model(
    jax: Any,
    model: Any,
    run: Callable[..., object],
    parameters: object,
    parts: Sequence[HeldPart],
    sizes: CellSizes,
    vocabularies: Sequence[int],
) -> DrivenModule | None:
    """Drive a model that takes tokens, or more than a sequence; None where it takes neither.

    Args:
        jax: The library.
        model: The model.
        run: What it computes of its parameters, with arguments (B, ...).
        parameters: Its parameters.
        parts: Its recurrent parts.
        sizes: Those that are tried; its parts may say others.
        vocabularies: How many tokens each of its embeddings takes.
    """
    own_size = next((part.sizes.input_size for part in parts if part.sizes.input_size), sizes.input_size)
    rows, steps = distinct_batch_size(own_size, sizes.hidden_size), distinct_step_count(own_size, sizes.hidden_size)
    for call in model_calls(jax, type(model).__call__, own_size):
        is_plain = not call.inputs.further and not call.fixed and not call.inputs.vocabulary
        if is_plain or (call.inputs.vocabulary and not vocabularies):
            continue
        inputs = replace(call.inputs, vocabulary=min(vocabularies)) if call.inputs.vocabulary else call.inputs

        def run_call(tree: object, x: object, *further: object, call: ModelCall = call) -> object:
            return run(tree, x, **call.keywords(further))

        examples = call.examples(jax, rows, steps)
        try:
            with default_format(jax, double=False), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its parameters may be of float64, which JAX then says it lacks
                jax.eval_shape(run_call, parameters, *examples)
                shape = (rows, steps, sizes.hidden_size)
                is_one = len(parts) < 2
                layer = padded_layer(jax, run_call, parameters, call, type(model), shape) if is_one else None
        except Exception:  # a user's module may raise anything
            continue
        if layer is not None and not parts:
            return layer
        model_module = JaxModelModule(jax_function_module(run_call, parameters), parts, inputs, type(model), layer)
        return DrivenModule(model_module, TargetCapabilities(library="JAX", has_parts=True))
    return None
