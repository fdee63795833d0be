"""Models of flax and equinox: Bidirectional, and modules around recurrent parts, as functions of their parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rnn_harness.array_types import Array
from rnn_harness.attributes import member
from rnn_harness.validation.cells.capabilities import CellSizes
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, HeldPart, ModelInputs, import_library
from rnn_harness.validation.loading.adapters.array_bridge import ArrayFunction, ArrayLibraryModule
from rnn_harness.validation.loading.adapters.default_format import default_format
from rnn_harness.validation.loading.adapters.handwritten.argument_names import required_arguments, role_of


class JaxModelModule(ArrayLibraryModule):
    """A model of flax or equinox as a whole.

    Attributes:
        held_parts: Its recurrent layers and cells.
        model_inputs: What it is called with.
        documented_class: The class of the model.
        as_layer: The same driven as one layer that takes lengths or a mask; None where it cannot be.
    """

    def __init__(
        self,
        module: ArrayLibraryModule,
        parts: Sequence[HeldPart],
        inputs: ModelInputs,
        documented_class: type,
        as_layer: DrivenModule | None = None,
    ) -> None:
        """Make the module.

        Args:
            module: The model, driven as a function of its parameters and its inputs.
            parts: Its recurrent parts.
            inputs: What it is called with.
            documented_class: The class of the model.
            as_layer: The same driven as one layer, where it gives the states of its only part.
        """
        function: ArrayFunction = module.function
        values: dict[str, Array] = {name: value.detach().numpy() for name, value in module.named_parameters()}
        super().__init__(function, {name: values[name.replace(".", "/")] for name in module.names})
        self.held_parts, self.model_inputs, self.documented_class = tuple(parts), inputs, documented_class
        self.as_layer = as_layer


def linen_parts(jax: Any, initialise: Callable[..., object], inputs: Sequence[object]) -> list[HeldPart]:
    """List the recurrent layers and cells of flax.linen that a model calls, cells inside of layers aside.

    Args:
        jax: The library.
        initialise: Makes the variables of the model, a module of flax.linen, from a key and what it is called with.
        inputs: What it is called with.
    """
    linen = import_library("flax.linen", "flax")
    parts: dict[tuple[str, ...], HeldPart] = {}
    inside: set[tuple[str, ...]] = set()

    def observe(call: Callable[..., Any], arguments: Any, keywords: Any, context: Any) -> Any:
        module = context.module
        is_layer = isinstance(module, linen.RNN)
        if (is_layer or isinstance(module, linen.RNNCellBase)) and context.method_name == "__call__" and arguments:
            path = tuple(map(str, module.path))
            if is_layer and module.cell.path is not None:
                inside.add(tuple(map(str, module.cell.path)))  # it may belong to the model, and not to the layer
            if path and path not in inside and not any(path[: len(outer)] == outer for outer in parts):
                parts[path] = _linen_part(module, path, arguments[0] if is_layer else arguments[-1], is_layer)
        return call(*arguments, **keywords)

    with linen.intercept_methods(observe), default_format(jax, double=False):
        jax.eval_shape(initialise, jax.random.PRNGKey(0), *inputs)
    return list(parts.values())


def _linen_part(module: Any, path: tuple[str, ...], inputs: Any, is_layer: bool) -> HeldPart:
    """Describe a part of a model of flax.linen, as a module of its own."""
    own = {"cell": module.cell.clone(parent=None, name=None)} if is_layer else {}
    alone = module.clone(parent=None, name=None, **own)
    cell = own.get("cell", alone)
    sizes = CellSizes(int(inputs.shape[-1]), int(vars(cell).get("features", 0)))
    learns_sizes = isinstance(cell, _sizeless_cells())

    def make(wanted: CellSizes) -> Any:
        if not learns_sizes:
            return alone
        resized = cell.clone(features=wanted.hidden_size)
        return alone.clone(cell=resized) if is_layer else resized

    return HeldPart("/".join(path), type(module).__name__, make, sizes, any_sizes=learns_sizes, is_layer=is_layer)


def _sizeless_cells() -> tuple[type, ...]:
    """The cells of flax.linen that are made of their hidden size alone, and learn the other when they are called."""
    linen = import_library("flax.linen", "flax")
    names = ("SimpleCell", "GRUCell", "MGUCell", "LSTMCell", "OptimizedLSTMCell")
    return tuple(member(linen, name) for name in names if hasattr(linen, name))


def nnx_parts(nnx: Any, model: Any) -> list[HeldPart]:
    """List the recurrent layers and cells of flax.nnx inside of a model, cells inside of layers aside.

    Args:
        nnx: The library.
        model: What was made of the target; it is walked through, and its parts are cloned.
    """
    parts: dict[tuple[str, ...], HeldPart] = {}
    found = [(tuple(map(str, path)), node) for path, node in nnx.iter_graph(model) if path]
    for path, node in sorted(found, key=lambda item: len(item[0])):
        is_layer = isinstance(node, nnx.RNN)
        if not (is_layer or isinstance(node, nnx.RNNCellBase)) or any(path[: len(outer)] == outer for outer in parts):
            continue
        cell = node.cell if is_layer else node
        known = vars(cell)
        sizes = CellSizes(int(known.get("in_features", 0)), int(known.get("hidden_features", 0)))
        make = _constant(nnx.clone(node))
        parts[path] = HeldPart("/".join(path), type(node).__name__, make, sizes, any_sizes=False, is_layer=is_layer)
    return list(parts.values())


def equinox_parts(jax: Any, equinox: Any, model: Any) -> list[HeldPart]:
    """List the recurrent cells of equinox inside of a model that is called with a sequence, and with no state.

    Args:
        jax: JAX itself.
        equinox: The library.
        model: What was made of the target; a cell itself has no parts.
    """
    states = [a for a in required_arguments(type(model).__call__)[1:] if role_of(a.name) in ("h", "c")]
    if is_equinox_cell(equinox, model) or states:
        return []
    cells: Any = _cells_of(equinox)
    nodes, _ = jax.tree_util.tree_flatten_with_path(model, is_leaf=lambda node: isinstance(node, cells))
    return [
        HeldPart(
            jax.tree_util.keystr(path).strip("."),
            type(node).__name__,
            _constant(node),
            CellSizes(int(node.input_size), int(node.hidden_size)),
            any_sizes=False,
            is_layer=False,
        )
        for path, node in nodes
        if isinstance(node, cells)
    ]


def is_equinox_cell(equinox: Any, model: Any) -> bool:
    """Say whether an object is a recurrent cell of equinox.

    Args:
        equinox: The library.
        model: What was made of the target.
    """
    return isinstance(model, _cells_of(equinox))


def _cells_of(equinox: Any) -> tuple[type, ...]:
    """The recurrent cells of equinox."""
    return equinox.nn.GRUCell, equinox.nn.LSTMCell


def _constant(value: Any) -> Callable[[CellSizes], Any]:
    """What makes one object, whatever the sizes."""
    return lambda _: value
