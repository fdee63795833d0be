"""Cells of Haiku, whose modules exist only while a transformed function runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.calling_convention import plain_convention
from rnn_harness.validation.cells.capabilities import CellSizes, TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, HeldPart, comes_from, import_library
from rnn_harness.validation.loading.adapters.jax_functions import import_jax, jax_function_module, zeros_in_shape


class DeferredModule:
    """A module of Haiku that is made anew wherever it is called.

    Attributes:
        make: Makes the module; to be called while a transformed function runs.
        name: What to call it in messages.
    """

    def __init__(self, make: Callable[[], Any], name: str) -> None:
        self.make, self.name = make, name


def is_haiku_class(cell_type: type) -> bool:
    """Say whether a class is a module of Haiku.

    Args:
        cell_type: The class.
    """
    return comes_from(cell_type, "haiku")


def deferred(cell_type: type) -> Callable[..., DeferredModule]:
    """Return what stands for a class of Haiku outside of a transformed function; it takes the same arguments.

    Args:
        cell_type: The class.
    """
    signature = inspect.signature(cell_type)

    def make(*arguments: object, **options: object) -> DeferredModule:
        signature.bind(*arguments, **options)  # what does not fit is refused now, and not when it is called
        return DeferredModule(lambda: cell_type(*arguments, **options), cell_type.__name__)

    make.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect.signature
    make.__module__ = cell_type.__module__
    return make


def haiku_parts(run: Callable[[], object]) -> list[HeldPart]:
    """List the recurrent cores of Haiku that a transformed function calls, those made of a hidden size alone.

    Args:
        run: Runs the function.
    """
    haiku = import_library("haiku", "haiku")
    parts: dict[str, HeldPart] = {}
    cores = (haiku.GRU, haiku.LSTM, haiku.VanillaRNN)

    def observe(call: Callable[..., Any], arguments: Any, keywords: Any, context: Any) -> Any:
        module = context.module
        if type(module) in cores and context.method_name == "__call__" and arguments:
            sizes = CellSizes(int(arguments[0].shape[-1]), int(module.hidden_size))
            parts.setdefault(str(module.module_name), _part(str(module.module_name), type(module), sizes))
        return call(*arguments, **keywords)

    with haiku.intercept_methods(observe):
        run()
    return list(parts.values())


def _part(name: str, core: type, sizes: CellSizes) -> HeldPart:
    """A core inside of a model, of its own sizes: every other size would be compiled anew."""

    def make(_: CellSizes) -> DeferredModule:
        return DeferredModule(lambda: core(sizes.hidden_size), core.__name__)

    return HeldPart(name, core.__name__, make, sizes, any_sizes=False, is_layer=False)


class HaikuAdapter:
    """Drives dm-haiku: cells are called with (input, state) and give (output, state)."""

    name = "haiku"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Whether a class is a module of Haiku, or stands for one; a transformed function is a pair of functions."""
        return cell_type is DeferredModule or (is_haiku_class(cell_type) and not issubclass(cell_type, tuple))

    def defaults(self, cell_type: type) -> Options:
        """Nothing: the sizes suffice."""
        return {}

    def drive(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the cell as a pure function of its parameters.

        Raises:
            UsageError: It has no initial state, or no parameters come of it.
        """
        return self._driven(cell, n, d, lambda function, *arguments: function(*arguments))

    def drive_without_values(self, cell: Any, n: int, d: int, options: Options) -> DrivenModule:
        """Drive it with zeros for parameters: what draws them is compiled, operation by operation, for every size."""
        return self._driven(cell, n, d, zeros_in_shape)

    def _driven(self, cell: Any, n: int, d: int, computed: Callable[..., Any]) -> DrivenModule:
        """Drive the cell, with an initial state and parameters that are computed in a way."""
        if not isinstance(cell, DeferredModule):
            raise UsageError(f"{type(cell).__name__} belongs to one run of a transformed function: name its class")
        jax, haiku = import_jax(), import_library("haiku", "haiku")
        rows = 2
        try:
            start = computed(haiku.testing.transform_and_run(lambda: cell.make().initial_state(rows)))
            transformed = haiku.transform(lambda x, state: cell.make()(x, state))
            x = jax.numpy.zeros((rows, n), "float32")
            parameters = computed(transformed.init, jax.random.PRNGKey(0), x, start)
        except Exception as error:  # a user's module may raise anything
            raise UsageError(
                f"{cell.name} of Haiku cannot be called with inputs ({rows}, {n}) and its initial state: "
                f"{type(error).__name__}: {error}"
            ) from None
        leaves, structure = jax.tree_util.tree_flatten(start)
        key = jax.random.PRNGKey(1)

        def run(tree: object, x: object, *states: object) -> object:
            state = jax.tree_util.tree_unflatten(structure, jax.tree_util.tree_leaves(states))
            return transformed.apply(tree, key, x, state)

        convention = plain_convention(False, len(leaves))
        capabilities = TargetCapabilities(calling_convention=convention, library="JAX")
        return DrivenModule(jax_function_module(run, parameters), capabilities)
