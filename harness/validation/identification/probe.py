"""A target, run on generic numbers with some of its parameters and the others zero; what came out is remembered.

Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN, SCREEN_SINGLE
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.identification.parameter_layout import Layout
from rnn_harness.validation.loading.driver import run_over_time
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.target import Target

N, D, STEPS, BATCH = 5, 3, 4, 2
HUGE = 100  # times what is usual: beyond the limits in use for a cell state (1 to 50)


def close(one: Array, two: Array, tolerance: float, equal_nan: bool = False) -> bool:
    """Whether two arrays of one shape are equal up to `tolerance`; np.allclose, but quick where they are finite."""
    with np.errstate(invalid="ignore"):
        gap = np.abs(one - two)
    if (gap <= tolerance).all():
        return True
    return not np.isfinite(gap).all() and bool(np.allclose(one, two, rtol=0, atol=tolerance, equal_nan=equal_nan))


@dataclass(frozen=True)
class Response:
    """What came out: hidden states over time for either order of two states, and final states in the target's order."""

    outputs: tuple[Array, ...]
    finals: tuple[Array, ...]

    def hidden(self, states: tuple[str, ...]) -> Array:
        """(T, B, d), where the target's states are these."""
        return self.outputs[states.index("h") if len(self.outputs) > 1 else 0]


@dataclass
class Probe:
    """A target made for (n, d) in float64, or in float32 if that is all it takes.

    `steps`: of a run with some parameters alone; the first one tells most, where a state can be given.
    """

    module: Any
    convention: CallingConvention
    sizes: tuple[int, int]
    parameters: dict[str, Array]
    inputs: Array
    states: tuple[Array, ...]
    tolerance: float
    dtype: str
    ignored: tuple[str, ...] = ()
    steps: int = STEPS
    _known: dict[Any, Response] = field(default_factory=dict)

    def whole(self) -> Response:
        """All parameters, all steps."""
        return self._run(self.parameters, STEPS)

    def masked(self, layout: Layout, alive: frozenset[int]) -> Response:
        """Only the slots with these numbers are not zero; `steps` of them."""
        key = (layout.forms, layout.recurrent_first, alive, self.steps)
        if key not in self._known:
            self._known[key] = self._run(self._only(layout, alive), self.steps)
        return self._known[key]

    def from_huge_states(self, layout: Layout) -> Response:
        """All parameters zero, and states far beyond what is usual, no two entries alike; one step.

        Nothing came out where that makes it raise.
        """
        key = (layout.forms, layout.recurrent_first, "huge")
        if key not in self._known:
            other = replace(self, states=tuple(HUGE * (state + np.sign(state)) for state in self.states))
            try:
                self._known[key] = other._run(self._only(layout, frozenset()), 1)
            except UsageError:
                self._known[key] = Response((), ())
        return self._known[key]

    def value(self, layout: Layout, index: int) -> Array:
        """The numbers of one slot."""
        return self.plain(layout, index)[self.place(layout, index)]

    def plain(self, layout: Layout, index: int) -> Array:
        """The plain form of a slot's parameter."""
        name = layout.gate_blocks[index].parameter
        return dict(layout.forms)[name].plain(self.parameters[name])

    def place(self, layout: Layout, index: int) -> tuple[slice, ...]:
        """Where a slot stands in the plain form."""
        gate_block, (n, d) = layout.gate_blocks[index], self.sizes
        rows = slice(gate_block.block * d, (gate_block.block + 1) * d)
        if gate_block.kind == "b":
            return (rows,)
        if not gate_block.side:
            return rows, slice(None)
        first = (gate_block.side == "h") == layout.recurrent_first
        size = n if gate_block.side == "x" else d
        return rows, slice(0, size) if first else slice(n + d - size, None)

    def _only(self, layout: Layout, alive: frozenset[int]) -> dict[str, Array]:
        forms: dict[str, StorageForm] = dict(layout.forms)
        plain = {name: np.zeros_like(form.plain(self.parameters[name])) for name, form in forms.items()}
        for index in alive:
            plain[layout.gate_blocks[index].parameter][self.place(layout, index)] = self.value(layout, index)
        kept = {name: self.parameters[name] for name in self.ignored}
        return kept | {name: forms[name].stored(value) for name, value in plain.items()}

    def _run(self, parameters: dict[str, Array], steps: int) -> Response:
        import torch

        leaves, x, given = self._tensors(parameters, steps)
        try:
            with torch.no_grad():
                outputs, each, last = run_over_time(self.module, self.convention, leaves, x, given)
        except UsageError:
            raise
        except (Exception, SystemExit) as error:  # somebody's code may raise anything
            said = (str(error).splitlines() or [""])[0]
            raise UsageError(
                f"cannot drive {type(self.module).__name__}: {self.convention}, it takes some arguments, but for "
                f"{steps} steps of {x.shape[1]} rows (n = {self.sizes[0]}, d = {self.sizes[1]}) it raised "
                f"{type(error).__name__}: {said}"
            ) from error
        finals = tuple(to_numpy(value).astype(np.float64) for value in last)
        if outputs is not None:
            return Response((to_numpy(outputs).astype(np.float64),), finals)
        over = [np.stack([to_numpy(step[i]) for step in each]).astype(np.float64) for i in range(len(given))]
        return Response(tuple(over), finals)

    def _tensors(self, parameters: dict[str, Array], steps: int) -> tuple[dict[str, Any], Any, list[Any]]:
        """New tensors: parameters by name, inputs (steps, B, n), states (B, d)."""
        import torch

        dtype = getattr(torch, self.dtype)
        leaves = {name: torch.tensor(value, dtype=dtype) for name, value in parameters.items()}
        given = [torch.tensor(value, dtype=dtype) for value in self.states[: self.convention.states]]
        return leaves, torch.tensor(self.inputs[:steps], dtype=dtype), given

    def rows_are_apart(self) -> bool:
        """Whether the second row of the batch gives the same when the first one holds other numbers."""
        other = replace(self, inputs=self.inputs.copy(), states=tuple(state.copy() for state in self.states))
        other.inputs[:, 0] += 1
        for state in other.states:
            state[0] -= 1
        own, moved = self.whole(), other.whole()
        return all(
            close(a[..., 1, :], b[..., 1, :], self.tolerance, equal_nan=True)
            for a, b in zip((*own.outputs, *own.finals), (*moved.outputs, *moved.finals), strict=True)
        )

    def writes_into(self) -> str:
        """Which of its arguments hold other numbers after one call: ``input``, ``state``, or none."""
        import torch

        leaves, x, given = self._tensors(self.parameters, STEPS if self.convention.sequence else 1)
        before = [value.clone() for value in (x, *given)]
        with torch.no_grad():
            run_over_time(self.module, self.convention, leaves, x, list(given))
        changed = [not torch.equal(a, b) for a, b in zip((x, *given), before, strict=True)]
        return "state" if any(changed[1:]) else "input" if changed[0] else ""

    def overwrites(self) -> bool:
        """Whether what one call gave back holds other numbers after the next call."""
        import torch

        leaves, x, given = self._tensors(self.parameters, STEPS if self.convention.sequence else 1)
        with torch.no_grad():
            outputs, _, last = run_over_time(self.module, self.convention, leaves, x, given)
            held = [*last, *([outputs] if outputs is not None else [])]
            before = [value.clone() for value in held]
            run_over_time(self.module, self.convention, leaves, x + 1, [value + 1 for value in given])
        return any(not torch.equal(a, b) for a, b in zip(held, before, strict=True))

    def gives_nan(self) -> bool:
        """Whether something that comes out of finite numbers is no number."""
        seen = self.whole()
        return any(bool(np.isnan(value).any()) for value in (*seen.outputs, *seen.finals))

    def same(self, one: Response, two: Response) -> bool:
        """Equal, as far as its dtype can tell."""
        pairs = zip((*one.outputs, *one.finals), (*two.outputs, *two.finals), strict=True)
        return all(close(a, b, self.tolerance, equal_nan=True) for a, b in pairs)


def probe_target(target: Target, seed: int = 0) -> Probe:
    """A target made and found to be callable.

    Raises UsageError if it cannot be driven, which says nothing about what it computes.
    """
    n, d = target.capabilities.fixed_sizes or (N, D)
    trouble: Exception | None = None
    for dtype, tolerance in (("float64", SCREEN), ("float32", SCREEN_SINGLE)):
        if dtype not in target.capabilities.dtypes:
            continue
        try:
            return _probe(target, n, d, dtype, tolerance, seed)
        except UsageError as error:
            trouble = trouble or error
    assert trouble is not None, "a target has a dtype"
    raise trouble


def _probe(target: Target, n: int, d: int, dtype: str, tolerance: float, seed: int) -> Probe:
    import torch

    module = target.make_module(n, d).to(getattr(torch, dtype)).eval()
    lazy = [name for name, value in module.named_parameters() if torch.nn.parameter.is_lazy(value)]
    if lazy:
        raise UsageError(f"cannot drive {target.name}: {lazy[0]} has no shape before it is called (a lazy module)")
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters()}
    if not shapes:
        raise UsageError(f"{target.name} has no parameters, so that nothing about them can be said")
    convention = find_convention(module, n, d, target.capabilities.calling_convention)
    rng = np.random.default_rng(seed)
    # Large enough for a clipped function to be told from the straight one, small enough for tanh not to be flat.
    parameters = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    inputs = rng.standard_normal((STEPS, BATCH, n))
    states = tuple(1.5 * rng.standard_normal((BATCH, d)) for _ in range(2))
    found = Probe(module, convention, (n, d), parameters, inputs, states, tolerance, dtype)
    found.steps = 1 if convention.states else STEPS
    found.ignored = tuple(name for name in shapes if _has_no_influence(found, name))
    # NaN whatever the parameters are is a fault of its own, and told as that.
    if found.ignored == tuple(shapes) and not found.gives_nan():
        raise UsageError(
            f"cannot drive {target.name}: it gives the same whatever its parameters are. They are handed to it anew "
            "for every call, under their names; it reads others: in a list perhaps, or computed from them before"
        )
    return found


def _has_no_influence(seen: Probe, name: str) -> bool:
    rest = {own: np.zeros_like(value) if own == name else value for own, value in seen.parameters.items()}
    return seen.same(seen.whole(), seen._run(rest, STEPS))
