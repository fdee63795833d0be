"""Runs of a target on generic numbers, with all of its parameters or with some of them and the remaining ones zero."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_harness.arithmetic.assumptions import SCREEN, SCREEN_SINGLE
from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError, first_line, named_error
from rnn_harness.kernels.torch_reference import to_numpy
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.cells.held_entries import held_entries, replaced_words, says_in_place
from rnn_harness.validation.cells.parameter_blocks import StorageForm
from rnn_harness.validation.identification.parameter_layout import Layout, fits_gates
from rnn_harness.validation.identification.state_words import is_called_a_state
from rnn_harness.validation.loading.dependence import carries_over
from rnn_harness.validation.loading.driver import run_over_time
from rnn_harness.validation.loading.find_convention import find_convention
from rnn_harness.validation.loading.layout_faults import WrongLayout
from rnn_harness.validation.loading.parameter_exchange import CalledWithParameters, in_evaluation, with_leaves
from rnn_harness.validation.loading.target import Target

if TYPE_CHECKING:
    from torch import Tensor

N, D, STEPS, BATCH = 5, 3, 4, 2
HUGE = 100  # times the usual size: beyond the limits that cells set to a cell state (1 to 50)


def close(first: Array, second: Array, tolerance: float, equal_nan: bool = False) -> bool:
    """Say whether two arrays are equal up to a tolerance; as np.allclose, but faster where they are finite.

    Args:
        first: An array of any shape.
        second: An array of that shape.
        tolerance: The largest difference of two entries.
        equal_nan: Whether two NaN count as equal.
    """
    with np.errstate(invalid="ignore"):
        gap = np.abs(first - second)
    if (gap <= tolerance).all():
        return True
    return not np.isfinite(gap).all() and bool(np.allclose(first, second, rtol=0, atol=tolerance, equal_nan=equal_nan))


@dataclass(frozen=True)
class Response:
    """What a run gives.

    Attributes:
        outputs: The hidden states over time, each (T, B, d): one array, or one for each state that could be hidden.
        finals: The final states, each (B, d), in the target's order.
        shown: What a step gives besides its states, over time (T, B, d); None where it gives nothing else.
    """

    outputs: tuple[Array, ...]
    finals: tuple[Array, ...]
    shown: Array | None = None

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything that came back."""
        return (*self.outputs, *self.finals, *(() if self.shown is None else (self.shown,)))

    def hidden(self, states: tuple[str, ...]) -> Array:
        """Return the hidden states (T, B, d), if the target's states have these names.

        Args:
            states: The names in the target's order, with ``h`` among them.
        """
        return self.outputs[states.index("h") if len(self.outputs) > 1 else 0]


@dataclass
class Probe:
    """A module of a target with generic numbers to run it on, in float64 or, where it takes no other, in float32.

    Attributes:
        module: What is called: a torch module, or what an adapter made one of.
        convention: How it is called.
        sizes: (n, d).
        parameters: Its parameters, by its names.
        inputs: (T, B, n).
        states: The states that it may be given, each (B, d).
        tolerance: The largest difference of two numbers that count as equal.
        dtype: The dtype of the module.
        ignored: The parameters that have no influence.
        constant: The parameters of a single number that can be no weight and no bias: they keep the value that the
            module is made with.
        steps: The number of steps of a run with some parameters alone; one where a state can be given.
        refusals: Why it was not driven in a dtype that was tried before, by dtype.
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
    constant: tuple[str, ...] = ()
    steps: int = STEPS
    refusals: dict[str, str] = field(default_factory=dict)
    _responses: dict[Any, Response] = field(default_factory=dict)

    def complete(self) -> Response:
        """Run with all parameters over all steps."""
        return self.respond(self.parameters, STEPS)

    def masked(self, layout: Layout, alive: frozenset[int], scale: float = 1.0) -> Response:
        """Run with some blocks of parameters alone, over `steps` steps.

        Args:
            layout: The layout of the parameters.
            alive: The numbers of the blocks that are not zero.
            scale: What these are multiplied by.
        """
        key = (layout.parameters, frozenset(layout.block_names[index] for index in alive), self.steps, scale)
        if key not in self._responses:
            self._responses[key] = self.respond(self._only(layout, alive, scale), self.steps)
        return self._responses[key]

    def from_huge_states(self, layout: Layout) -> Response:
        """Run one step with all parameters zero, from states far beyond the usual size, no two entries alike.

        The response is empty where that makes the target raise.

        Args:
            layout: How the parameters are cut into blocks, which says what is set to zero.
        """
        key = (layout.forms, layout.recurrent_first, "huge")
        if key not in self._responses:
            far = replace(self, states=tuple(HUGE * (state + np.sign(state)) for state in self.states))
            try:
                self._responses[key] = far.respond(self._only(layout, frozenset()), 1)
            except UsageError:
                self._responses[key] = Response((), ())
        return self._responses[key]

    def value(self, layout: Layout, index: int) -> Array:
        """Return the numbers of one block, (d, n), (d, d) or (d,).

        Args:
            layout: How the parameters are cut into blocks.
            index: The block's number in the layout.
        """
        return self.plain(layout, index)[self.place(layout, index)]

    def plain(self, layout: Layout, index: int) -> Array:
        """Return the plain form of the parameter that holds a block.

        Args:
            layout: How the parameters are cut into blocks.
            index: The block's number in the layout.
        """
        name = layout.gate_blocks[index].parameter
        return dict(layout.forms)[name].plain(self.parameters[name])

    def place(self, layout: Layout, index: int) -> tuple[slice, ...]:
        """Return the place of a block in the plain form.

        Args:
            layout: How the parameters are cut into blocks.
            index: The block's number in the layout.

        Returns:
            Slices of rows and columns; of rows alone for a bias.
        """
        block, (n, d) = layout.gate_blocks[index], self.sizes
        rows = slice(block.block * d, (block.block + 1) * d)
        if block.kind == "b":
            return (rows,)
        if not block.side:
            return rows, slice(None)
        first = (block.side == "h") == layout.recurrent_first
        size = n if block.side == "x" else d
        return rows, slice(0, size) if first else slice(n + d - size, None)

    def _only(self, layout: Layout, alive: frozenset[int], scale: float = 1.0) -> dict[str, Array]:
        forms: dict[str, StorageForm] = dict(layout.forms)
        plain = {name: np.zeros_like(form.plain(self.parameters[name])) for name, form in forms.items()}
        for index in alive:
            plain[layout.gate_blocks[index].parameter][self.place(layout, index)] = scale * self.value(layout, index)
        unmasked = {name: self.parameters[name] for name in (*self.ignored, *self.constant)}
        return unmasked | {name: forms[name].stored(value) for name, value in plain.items()}

    def respond(self, parameters: dict[str, Array], steps: int) -> Response:
        """Run the target with these parameters for some steps.

        Args:
            parameters: Every parameter of the target, by its name there.
            steps: Time steps.

        Raises:
            UsageError: The target raises for them; the message holds the first line of what it says.
        """
        import torch

        leaves, x, states = self._tensors(parameters, steps)
        try:
            with torch.no_grad():
                run = run_over_time(self.module, self.convention, leaves, x, states)
        except UsageError:
            raise
        except (Exception, SystemExit) as error:  # a target may raise anything
            raise UsageError(
                f"cannot drive {type(self.module).__name__}: {self.convention}, it takes some arguments, but for "
                f"{steps} steps of {x.shape[1]} rows (n = {self.sizes[0]}, d = {self.sizes[1]}) it raised "
                f"{named_error(error)}"
            ) from error
        finals = tuple(to_numpy(value).astype(np.float64) for value in run.final_states)
        if run.outputs is not None:
            return Response((to_numpy(run.outputs).astype(np.float64),), finals)
        over_time = [
            np.stack([to_numpy(row[i]) for row in run.step_states]).astype(np.float64) for i in range(len(states))
        ]
        shown = np.stack([to_numpy(row) for row in run.step_outputs]).astype(np.float64) if run.step_outputs else None
        return Response(tuple(over_time), finals, shown)

    def _tensors(self, parameters: dict[str, Array], steps: int) -> tuple[dict[str, Tensor], Tensor, list[Tensor]]:
        """New tensors: parameters by name, inputs (steps, B, n), states (B, d)."""
        import torch

        dtype = torch_dtype(self.dtype)
        leaves = {name: torch.tensor(value, dtype=dtype) for name, value in parameters.items()}
        states = [torch.tensor(value, dtype=dtype) for value in self.states[: self.convention.states]]
        return leaves, torch.tensor(self.inputs[:steps], dtype=dtype), states

    def rows_are_apart(self) -> bool:
        """Say whether the second row of a batch does not depend on the numbers of the first."""
        changed = replace(self, inputs=self.inputs.copy(), states=tuple(state.copy() for state in self.states))
        changed.inputs[:, 0] += 1
        for state in changed.states:
            state[0] -= 1
        first, second = self.complete(), changed.complete()
        return all(
            close(a[..., 1, :], b[..., 1, :], self.tolerance, equal_nan=True)
            for a, b in zip((*first.outputs, *first.finals), (*second.outputs, *second.finals), strict=True)
        )

    def carries_over(self) -> bool:
        """Say whether a step of a sequence reaches the next; true of a single step, which is given its state."""
        leaves, x, states = self._tensors(self.parameters, STEPS)
        return carries_over(with_leaves(self.module, leaves), self.convention, x, states)

    def writes_into(self) -> str:
        """Name the argument that a call writes into: ``input``, ``state``, or none (empty)."""
        import torch

        leaves, x, states = self._tensors(self.parameters, STEPS if self.convention.sequence else 1)
        before = [value.clone() for value in (x, *states)]
        with torch.no_grad():
            run_over_time(self.module, self.convention, leaves, x, list(states))
        changed = [not torch.equal(a, b) for a, b in zip((x, *states), before, strict=True)]
        return "state" if any(changed[1:]) else "input" if changed[0] else ""

    def replaces_entries(self) -> str:
        """Name the list, dictionary or object of which a call replaces entries; empty where it leaves them alone.

        A module whose source speaks of doing so, or of a cache, does as it says.
        """
        import torch

        if isinstance(self.module, CalledWithParameters):
            return ""
        leaves, x, states = self._tensors(self.parameters, STEPS if self.convention.sequence else 1)
        positional, keywords = self.convention.positional_and_keyword(x if self.convention.sequence else x[0], states)
        named = (*((f"argument {place + 1}", value) for place, value in enumerate(positional)), *keywords.items())
        held = [entries for name, value in named for entries in held_entries(value, name)]
        if not held or says_in_place(type(self.module)):
            return ""
        with torch.no_grad():
            with_leaves(self.module, leaves)(*positional, **keywords)
        return replaced_words(held)

    def overwrites(self) -> bool:
        """Say whether the next call writes into what a call returned."""
        import torch

        leaves, x, states = self._tensors(self.parameters, STEPS if self.convention.sequence else 1)
        with torch.no_grad():
            run = run_over_time(self.module, self.convention, leaves, x, states)
            returned = [*run.final_states, *([run.outputs] if run.outputs is not None else [])]
            before = [value.clone() for value in returned]
            run_over_time(self.module, self.convention, leaves, x + 1, [value + 1 for value in states])
        return any(not torch.equal(a, b) for a, b in zip(returned, before, strict=True))

    def keeps_a_state(self) -> bool:
        """Say whether a state that is given comes back as it is."""
        finals = self.respond(self.parameters, 1).finals
        return any(map(np.array_equal, self.states[: self.convention.states], finals))

    def hands_old_states_on(self) -> bool:
        """Whether a step gives an output, and behind it the very states that went in, which are called states."""
        import torch

        states = self.states[: self.convention.states]
        if self.convention.sequence or not (states and self.convention.takes_rows):
            return False
        if isinstance(self.module, CalledWithParameters):
            return False
        leaves, x, given = self._tensors(self.parameters, 1)
        with torch.no_grad():
            results = self.convention.results(with_leaves(self.module, leaves), x[0], given)
        returned = results[1:]
        is_unchanged = len(returned) == len(given) and all(map(torch.equal, returned, given))
        names = "hc"[: len(states)]
        return is_unchanged and any(
            is_called_a_state(self.module, self.convention, place, name) for place, name in enumerate(names)
        )

    def gives_nan(self) -> bool:
        """Say whether NaN comes out of finite numbers."""
        response = self.complete()
        return any(bool(np.isnan(value).any()) for value in (*response.outputs, *response.finals))

    def equal(self, first: Response, second: Response) -> bool:
        """Say whether two responses are equal up to the tolerance; NaN equals NaN.

        Args:
            first: A response.
            second: A response of as many tensors.
        """
        pairs = zip(first.arrays, second.arrays, strict=True)
        return all(close(a, b, self.tolerance, equal_nan=True) for a, b in pairs)


def probe_target(target: Target, seed: int = 0) -> Probe:
    """Build a target, find out how it is called, and draw generic numbers for it.

    Args:
        target: The target as it was loaded.
        seed: The seed of the numbers.

    Raises:
        UsageError: It cannot be driven, which says nothing about what it computes.
    """
    n, d = target.capabilities.fixed_sizes or (N, D)
    first_error: Exception | None = None
    refusals: dict[str, str] = {}
    for dtype, tolerance in (("float64", SCREEN), ("float32", SCREEN_SINGLE)):
        if dtype not in target.capabilities.dtypes:
            continue
        try:
            probe = _probe(target, n, d, dtype, tolerance, seed)
        except WrongLayout:
            raise
        except UsageError as error:
            first_error = first_error or error
            refusals[dtype] = first_line(error)
        else:
            probe.refusals = refusals
            return probe
    assert first_error is not None, "a target has a dtype"
    raise first_error


def _probe(target: Target, n: int, d: int, dtype: str, tolerance: float, seed: int) -> Probe:
    import torch

    module = in_evaluation(target.make_module(n, d).to(torch_dtype(dtype)))
    lazy = [name for name, value in module.named_parameters() if torch.nn.parameter.is_lazy(value)]
    if lazy:
        raise UsageError(f"cannot drive {target.name}: {lazy[0]} has no shape before it is called (a lazy module)")
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters()}
    if not shapes:
        raise UsageError(f"{target.name} has no parameters, so that nothing about them can be said")
    convention = find_convention(module, n, d, target.capabilities.calling_convention)
    rng = np.random.default_rng(seed)
    # Large enough to tell a clipped function from a straight one, small enough that tanh is not flat.
    parameters = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    scalars = [name for name, shape in shapes.items() if math.prod(shape) == 1 and not fits_gates(shape, n, d)]
    parameters |= {name: to_numpy(value) for name, value in module.named_parameters() if name in scalars}
    inputs = rng.standard_normal((STEPS, BATCH, n))
    states = tuple(1.5 * rng.standard_normal((BATCH, d)) for _ in range(2))
    probe = Probe(module, convention, (n, d), parameters, inputs, states, tolerance, dtype)
    probe.steps = 1 if convention.states else STEPS
    probe.ignored = tuple(name for name in shapes if _has_no_influence(probe, name))
    probe.constant = tuple(name for name in scalars if name not in probe.ignored)
    # A target that gives NaN whatever its parameters are is refuted for that later on.
    if probe.ignored == tuple(shapes) and not probe.gives_nan():
        raise UsageError(
            f"cannot drive {target.name}: it gives the same whatever its parameters are. They are handed to it anew "
            "for every call, under their names; it reads others: in a list perhaps, or computed from them before"
        )
    return probe


def _has_no_influence(probe: Probe, name: str) -> bool:
    value = probe.parameters[name]
    other = np.zeros_like(value) if value.any() else np.ones_like(value)  # a single number may be zero as it is made
    return probe.equal(probe.complete(), probe.respond({**probe.parameters, name: other}, STEPS))
