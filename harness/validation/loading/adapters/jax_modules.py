"""Cells of the JAX world: flax.linen, flax.nnx, equinox; and what they share, a pure function of a tree of parameters.

Dimension legend: B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from, import_library
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule, Pullback


def jax_module() -> Any:
    """JAX with float64 switched on. Raises UsageError."""
    jax = import_library("jax", "jax")
    jax.config.update("jax_enable_x64", True)
    return jax


class JaxRunner:
    """Runs `function(tree of parameters, *arguments)`, whose results are flattened."""

    def __init__(self, function: Callable[..., Any], tree: Any) -> None:
        self.jax = jax = jax_module()
        paths, self.treedef = jax.tree_util.tree_flatten_with_path(tree)
        self.names = tuple(_name(path) for path, _ in paths)
        self.values = {name: np.asarray(value) for name, (_, value) in zip(self.names, paths, strict=True)}

        def flat(parameters: Any, arguments: Any) -> Any:
            rebuilt = jax.tree_util.tree_unflatten(self.treedef, parameters)
            return tuple(jax.tree_util.tree_leaves(function(rebuilt, *arguments)))

        def pulled(parameters: Any, arguments: Any, cotangents: Any) -> Any:
            return jax.vjp(flat, parameters, arguments)[1](cotangents)

        # Compiled from the first call on: what XLA compiles rounds otherwise than what runs operation by operation.
        self._run, self._pull = jax.jit(flat), jax.jit(pulled)

    def __call__(
        self, parameters: Mapping[str, Array], arguments: tuple[Any, ...], differentiate: bool
    ) -> tuple[Sequence[Array], Pullback | None]:
        own = [self.jax.numpy.asarray(parameters[name]) for name in self.names]
        given = self.jax.tree_util.tree_map(self.jax.numpy.asarray, arguments)
        found = self._run(own, given)

        def pull(cotangents: Sequence[Array]) -> tuple[Mapping[str, Array], Sequence[Array]]:
            into = tuple(self.jax.numpy.asarray(one) for one in cotangents)
            gradients, back = self._pull(own, given, into)
            rows = dict(zip(self.names, map(np.asarray, gradients), strict=True))
            return rows, [np.asarray(one) for one in self.jax.tree_util.tree_leaves(back)]

        return [np.asarray(one) for one in found], pull


def _name(path: Any) -> str:
    """A path in a tree as it is usually written, without the steps that wrap a value."""
    steps = [str(getattr(one, "key", getattr(one, "name", getattr(one, "idx", "")))) for one in path]
    return "/".join(step for step in steps if step not in ("value", "params"))


def jax_function_module(function: Callable[..., Any], tree: Any) -> ArrayLibraryModule:
    """A pure function with its parameters as a torch module."""
    runner = JaxRunner(function, tree)
    return ArrayLibraryModule(runner, runner.values)


class LinenAdapter:
    """flax.linen: cells are called with (carry, input), layers with inputs and an initial carry."""

    name = "flax.linen"
    options: tuple[str, ...] = ()

    def accepts(self, kind: type) -> bool:
        """Modules of flax.linen."""
        return comes_from(kind, "flax.linen")

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """None."""
        return {}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The cell, or a layer made of one."""
        jax = jax_module()
        key, x = jax.random.PRNGKey(0), jax.numpy.zeros((2, n), "float32")
        layer = not hasattr(module, "initialize_carry")
        cell = getattr(module, "cell", None) if layer else module
        if cell is None:
            raise UsageError(f"{type(module).__name__} of flax.linen has neither initialize_carry nor a cell")
        carry = cell.initialize_carry(key, x.shape)
        states = len(jax.tree_util.tree_leaves(carry))
        if layer:

            def run(tree: Any, inputs: Any, start: Any) -> Any:
                last, outputs = module.apply({"params": tree}, inputs, initial_carry=start, return_carry=True)
                return outputs, last

            variables = module.init(key, x[:, None])
            how = CallingConvention(True, states, batch_first=True)
            return DrivenModule(
                jax_function_module(run, dict(variables["params"])),
                TargetCapabilities(calling_convention=how, library="JAX"),
            )
        variables = module.init(key, carry, x)
        return DrivenModule(
            jax_function_module(
                lambda tree, *arguments: module.apply({"params": tree}, *arguments), dict(variables["params"])
            ),
            TargetCapabilities(calling_convention=CallingConvention(False, states, state_first=True), library="JAX"),
        )


class NnxAdapter:
    """flax.nnx: cells are called with (carry, input)."""

    name = "flax.nnx"
    options: tuple[str, ...] = ()

    def accepts(self, kind: type) -> bool:
        """Modules of flax.nnx."""
        return comes_from(kind, "flax.nnx")

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """Random numbers for the initial parameters."""
        jax_module()
        nnx = import_library("flax.nnx", "flax")
        return {"rngs": nnx.Rngs(0)}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The cell."""
        jax_module()
        nnx = import_library("flax.nnx", "flax")
        graph, parameters, rest = nnx.split(module, nnx.Param, ...)

        def run(tree: Any, *arguments: Any) -> Any:
            return nnx.merge(graph, tree, rest)(*arguments)

        return DrivenModule(jax_function_module(run, parameters), TargetCapabilities(library="JAX"))


class EquinoxAdapter:
    """equinox: cells are called with (input, state) of one row."""

    name = "equinox"
    options: tuple[str, ...] = ()

    def accepts(self, kind: type) -> bool:
        """Modules of equinox."""
        return comes_from(kind, "equinox")

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """Random numbers for the initial parameters."""
        return {"key": jax_module().random.PRNGKey(0)}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The cell, over the rows of a batch."""
        jax = jax_module()
        equinox = import_library("equinox", "equinox")
        parameters, rest = equinox.partition(module, equinox.is_inexact_array)

        def run(tree: Any, *arguments: Any) -> Any:
            cell = equinox.combine(tree, rest)
            return jax.vmap(lambda *row: cell(*row))(*arguments)

        return DrivenModule(jax_function_module(run, parameters), TargetCapabilities(library="JAX"))
