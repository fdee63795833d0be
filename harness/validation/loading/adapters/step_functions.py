"""Plain functions of one step, on NumPy, JAX or torch arrays.

Their parameters are arguments, by name, or one dictionary or tuple; their shapes come from a function that makes them
(``--params``, or ``init_params`` and the like beside the function), or are tried out.

Dimension legend: B batch rows, n input size, d hidden size, G gates.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.validation.cells.calling_convention import distinct_batch_size
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule
from rnn_harness.validation.loading.adapters.array_bridge import ArrayLibraryModule, Pullback
from rnn_harness.validation.loading.adapters.array_objects import shown
from rnn_harness.validation.loading.adapters.jax_modules import jax_function_module, jax_module

Function = Callable[..., Any]
_X = re.compile(r"(x|xt|x_t|inp|inputs?|input_t|xs|features)$", re.I)
_STATE = re.compile(
    r"(h|hx|hs?_?prev|h_?tm1|ht_1|h_?t?_?1|hidden|hidden_state|states?|carry|a_?prev|prev_h|s|s_prev|h0|"
    r"c|cx|c_?prev|c_?tm1|ct_1|cell|cell_state|prev_c|c0|h_?t|c_?t|hc)$",
    re.I,
)
_TREE = re.compile(r"(params?|parameters|weights|theta|p|w|variables)$", re.I)
_MAKERS = ("init_params", "init_parameters", "initialize_parameters", "make_params", "init", "params")


class _Plain:
    """A function of data and parameters, with the data's arguments in its own order."""

    def __init__(self, function: Function) -> None:
        self.function = function
        given = inspect.signature(function).parameters.values()
        self.open = [one.name for one in given if one.default is one.empty and one.kind not in (2, 4)]
        self.data = [name for name in self.open if _X.match(name) or _STATE.match(name)]
        self.rest = [name for name in self.open if name not in self.data]
        trees = [name for name in self.rest if _TREE.fullmatch(name)]
        self.tree = trees[0] if len(trees) == 1 == len(self.rest) else ""

    def call(self, parameters: Any, arguments: tuple[Any, ...]) -> Any:
        """Call it. `parameters`: a tree, or a mapping of arguments."""
        own = {self.tree: parameters} if self.tree else dict(parameters)
        return self.function(**dict(zip(self.data, arguments, strict=True)), **own)


class StepFunctionAdapter:
    """A function of one step. ``--init params=NAME`` names the function that makes its parameters for (n, d)."""

    name = "function"
    options: tuple[str, ...] = ("params",)

    def accepts(self, kind: type) -> bool:
        """StepFunctionAdapter."""
        return kind.__name__ in ("function", "PjitFunction", "CPUDispatcher") or comes_compiled(kind)

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """None."""
        return {}

    def drive(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The function, whose arrays are found out by calling it."""
        plain = _Plain(module)
        if not plain.data or not plain.rest:
            raise UsageError(
                f"{getattr(module, '__name__', 'the function')}({', '.join(plain.open)}): arguments named like an "
                "input (x), a state (h, c) and parameters are expected; wrap it in a function that has them"
            )
        maker = _maker(module, options.get("params"), bool(plain.tree))
        trees = [_make(maker, n, d)] if maker is not None else list(_guessed(plain, n, d))
        told: list[str] = []
        for tree in trees:
            for attempt in (_numpy, _jax, _torch):
                found = attempt(plain, tree, n, d, told)
                if found is not None:
                    return found
        hint = "" if maker is not None else "; name the function that makes its parameters with --init params=NAME"
        raise UsageError(
            f"{getattr(module, '__name__', 'the function')}({', '.join(plain.open)}) cannot be called with arrays"
            f"{hint}. It said: {'; '.join(list(dict.fromkeys(told))[:3]) or 'nothing'}"
        )


def comes_compiled(kind: type) -> bool:
    """StepFunctionAdapter compiled by JAX."""
    return kind.__module__.startswith(("jax", "jaxlib"))


def _maker(function: Function, given: Any, wanted: bool) -> Function | None:
    """The function that makes parameters: the one named, or if one is `wanted`, a usual name in the same module."""
    home = sys.modules.get(getattr(function, "__module__", "") or "")
    if callable(given):
        return given  # type: ignore[no-any-return]
    if given is not None:
        found = getattr(home, str(given), None)
        if not callable(found):
            raise UsageError(f"--init params={given}: the function's module has no function of that name")
        return found  # type: ignore[no-any-return]
    usual = (getattr(home, name) for name in _MAKERS if callable(getattr(home, name, None)))
    return next(usual, None) if wanted else None


def _make(maker: Function, n: int, d: int) -> Any:
    """Parameters of (n, d), with a source of random numbers first or last where it wants one."""
    sources: list[Callable[[], Any]] = [lambda: np.random.default_rng(0), lambda: jax_module().random.PRNGKey(0)]
    attempts: list[Callable[[], Any]] = [lambda: maker(n, d)]
    for source in sources:
        attempts.append(functools.partial(lambda source: maker(source(), n, d), source))
        attempts.append(functools.partial(lambda source: maker(n, d, source()), source))
    told = ""
    for attempt in attempts:
        try:
            return attempt()
        except Exception as error:  # somebody's function may raise anything
            told = told or f"{type(error).__name__}: {error}"
    raise UsageError(f"{maker.__name__}({n}, {d}) makes no parameters: {told}; expected a function of (n, d)")


def _guessed(plain: _Plain, n: int, d: int) -> Iterator[dict[str, Array]]:
    """Shapes by the names of the arguments: every number of gates, both orientations, joined or not."""
    if plain.tree:
        return
    rng = np.random.default_rng(0)
    for gates, turned, joined, column in itertools.product((4, 3, 1), (False, True), (False, True), (False, True)):
        found = {}
        for name in plain.rest:
            own = name.lower().replace("_", "")
            if own.startswith("b"):
                shape: tuple[int, ...] = (gates * d, 1) if column else (gates * d,)
            else:
                recurrent = own.startswith(("u", "r", "wh")) or "hh" in own
                width = n + d if joined else d if recurrent else n
                shape = (width, gates * d) if turned else (gates * d, width)
            found[name] = rng.standard_normal(shape)
        yield found


def _calls(plain: _Plain, n: int, d: int) -> Iterator[tuple[Array, ...]]:
    """Data of one step in rows, columns, or one vector; two states as a pair where there is one argument for them."""
    rng = np.random.default_rng(1)
    several = distinct_batch_size(n, d)
    for batch, turned in ((several, False), (several, True), (None, False), (1, True)):
        for pair in (False, True):
            rows: list[Any] = []
            for name in plain.data:
                size = n if _X.match(name) else d
                shape = (size,) if batch is None else (size, batch) if turned else (batch, size)
                value = rng.standard_normal(shape)
                rows.append((value, rng.standard_normal(shape)) if pair and not _X.match(name) else value)
            yield tuple(rows)


def _tried(plain: _Plain, tree: Any, n: int, d: int, told: list[str], turn: Callable[[Any], Any]) -> Any:
    """What the function gives for the first data that it takes."""
    for arguments in _calls(plain, n, d):
        try:
            found = plain.call(turn(tree), turn(arguments))
        except Exception as error:  # a function that is called in a wrong way may raise anything
            told.append(f"{type(error).__name__}: {error}"[:120])
            continue
        if _has_states(plain, arguments, found):
            return found
    return None


def _has_states(plain: _Plain, arguments: tuple[Any, ...], found: Any) -> bool:
    """Whether an array came back that has the shape of a state."""
    given = next((one for name, one in zip(plain.data, arguments, strict=True) if not _X.match(name)), None)
    wanted = getattr(given[0] if isinstance(given, tuple) else given, "shape", None)
    rows = found if isinstance(found, tuple | list) else (found,)
    flat = [one for row in rows for one in (row if isinstance(row, tuple | list) else (row,))]
    return any(tuple(getattr(one, "shape", ())) == wanted for one in flat)


def _tree_map(turn: Callable[[Any], Any], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _tree_map(turn, value) for name, value in tree.items()}
    if isinstance(tree, tuple | list):
        return type(tree)(_tree_map(turn, value) for value in tree)
    return turn(tree)


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, tuple | list) else ()
    for name, value in pairs:
        if isinstance(value, dict | tuple | list):
            yield from _leaves(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def _filled(tree: Any, values: Mapping[str, Any], prefix: str = "") -> Any:
    """The tree with other leaves."""
    if isinstance(tree, dict):
        return {name: _filled(value, values, f"{prefix}{name}/") for name, value in tree.items()}
    if isinstance(tree, tuple | list):
        return type(tree)(_filled(value, values, f"{prefix}{i}/") for i, value in enumerate(tree))
    return values[prefix.removesuffix("/")]


def _is_jax(found: Any) -> bool:
    rows = found if isinstance(found, tuple | list) else (found,)
    return any(type(one).__module__.startswith("jax") or (isinstance(one, tuple) and _is_jax(one)) for one in rows)


def _numpy(plain: _Plain, tree: Any, n: int, d: int, told: list[str]) -> DrivenModule | None:
    if any(not isinstance(value, np.ndarray) for _, value in _leaves(tree)):
        return None
    found = _tried(plain, tree, n, d, told, lambda given: given)
    if found is None:
        return None
    if _is_jax(found):
        return _jax(plain, tree, n, d, told)
    try:
        shown(found)
    except TypeError as error:
        told.append(str(error))
        return None

    def runner(
        parameters: Mapping[str, Array], arguments: tuple[Any, ...], differentiate: bool
    ) -> tuple[Sequence[Array], Pullback | None]:
        return shown(plain.call(_filled(tree, parameters), arguments)), None

    reason = "a function on NumPy arrays has no gradients"
    return DrivenModule(
        ArrayLibraryModule(runner, dict(_leaves(tree)), False),
        TargetCapabilities(no_gradients_reason=reason, library="NumPy"),
    )


def _jax(plain: _Plain, tree: Any, n: int, d: int, told: list[str]) -> DrivenModule | None:
    if "jax" not in sys.modules:
        return None
    numpy = jax_module().numpy
    found = _tried(plain, tree, n, d, told, lambda given: _tree_map(numpy.asarray, given))
    if found is None or not _is_jax(found):
        return None
    return DrivenModule(
        jax_function_module(lambda own, *arguments: plain.call(own, arguments), tree), TargetCapabilities(library="JAX")
    )


def _torch(plain: _Plain, tree: Any, n: int, d: int, told: list[str]) -> DrivenModule | None:
    import torch

    found = _tried(plain, tree, n, d, told, lambda given: _tree_map(torch.as_tensor, given))
    rows = found if isinstance(found, tuple | list) else (found,)
    if not any(isinstance(one, torch.Tensor) for one in rows):
        return None

    class Calls(torch.nn.Module):
        """The function with its parameters."""

        def __init__(self) -> None:
            super().__init__()
            self.names = [name for name, _ in _leaves(tree)]
            for name, value in _leaves(tree):
                self.register_parameter(name, torch.nn.Parameter(torch.as_tensor(value).detach().clone()))

        def forward(self, *arguments: Any) -> Any:
            values = {name: self._parameters[name] for name in self.names}
            return plain.call(_filled(tree, values), arguments)

    return DrivenModule(Calls())
