"""The steps of a spec's own equations, with the product of adjoints and Jacobian that autograd takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic import Values, evaluate
from rnn_harness.arithmetic.assumptions import SCREEN
from rnn_harness.arithmetic.numpy_arithmetic import NumpyArithmetic
from rnn_harness.array_types import Array
from rnn_harness.benchmarks.decay.jacobian_product import CHECKED_STEPS
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.kernels.drivers.equations import EquationsDriver
from rnn_harness.specs import Spec

if TYPE_CHECKING:
    from torch import Tensor


class EquationSteps:
    """The equations of a spec over segments of a sequence; see `CellSteps`.

    The whole state is all states in a row: first the one that is the output or, where none is, the first.
    """

    def __init__(self, spec: Spec, parameters: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        """Take the weights of a cell.

        Args:
            spec: A bare cell whose states are carried forward.
            parameters: By name, in float64.
            sizes: The named sizes, n and d.
        """
        import torch

        program = spec.program()
        self._driver, self._input_name = EquationsDriver(spec), program.inputs[0].name
        self._leaves = {name: torch.from_numpy(value) for name, value in parameters.items()}
        output = program.outputs[0].name
        declared = sorted(program.states, key=lambda state: state.name != output)
        self.state_sizes = {state.name: state.shape[0].size(sizes) for state in declared}
        self.hidden_size = next(iter(self.state_sizes.values()))
        self.state_size = sum(self.state_sizes.values())
        self._steps: list[tuple[Tensor, Tensor]] = []

    def split(self, state_rows: Array) -> dict[str, Array]:
        """Cut whole states into the states.

        Args:
            state_rows: (B, s).

        Returns:
            By name, (B, .) each.
        """
        ends = np.cumsum(list(self.state_sizes.values()))[:-1]
        return dict(zip(self.state_sizes, np.split(state_rows, ends, axis=1), strict=True))

    def run(self, inputs: Array, state: Array) -> None:
        """Run over a segment (S, n) from a whole state (s,), and keep the graph of every step."""
        import torch

        self._steps = []
        before = torch.from_numpy(state[None])
        for x in inputs:
            leaf = before.detach().requires_grad_()
            after = self._step(x, leaf)
            self._steps.append((leaf, after))
            before = after

    def last_state(self, inputs: Array, state: Array) -> Array:
        """Return the whole state (s,) after a segment (S, n)."""
        import torch

        state_rows = torch.from_numpy(state[None])
        with torch.no_grad():
            for x in inputs:
                state_rows = self._step(x, state_rows)
        last: Array = state_rows[0].numpy().copy()
        return last

    def _step(self, x: Array, state_rows: Tensor) -> Tensor:
        import torch

        parts = torch.split(state_rows, list(self.state_sizes.values()), dim=1)
        states = dict(zip(self.state_sizes, parts, strict=True))
        _, finals = self._driver.run(self._leaves, torch.from_numpy(x[None, None]), states, None)
        return torch.cat([finals[name] for name in self.state_sizes], dim=1)

    def pull_back(self, t: int, adjoints: Array) -> Array:
        """Multiply adjoints (r, s) by the Jacobian of step t."""
        import torch

        leaf, after = self._steps[t]
        if not after.requires_grad:
            return np.zeros_like(adjoints)
        weights = torch.from_numpy(np.ascontiguousarray(adjoints[:, None]))
        (before,) = torch.autograd.grad(after, leaf, weights, is_grads_batched=True, retain_graph=True)
        pulled: Array = before[:, 0].numpy()
        return pulled


def equations_agree(spec: Spec, parameters: Mapping[str, Array], sizes: Mapping[str, int], seed: int) -> bool:
    """Decide whether autograd pulls random adjoints back as the backward does that is derived from the equations.

    Args:
        spec: A bare cell whose states are carried forward.
        parameters: By name, in float64.
        sizes: The named sizes, n and d.
        seed: The seed of inputs and adjoints.
    """
    steps, rng = EquationSteps(spec, parameters, sizes), np.random.default_rng([seed, 7])
    program, arithmetic = spec.program(), NumpyArithmetic()
    inputs = rng.standard_normal((CHECKED_STEPS, program.inputs[0].shape[0].size(sizes)))
    backward, output = derive(program), program.outputs[0]
    d_output = {output.name: np.zeros((1, 1, output.shape[0].size(sizes)))}
    state = np.zeros(steps.state_size)
    steps.run(inputs, state)
    for t, x in enumerate(inputs):
        adjoint = rng.standard_normal((1, steps.state_size))
        values = Values(
            dict(parameters), {program.inputs[0].name: x[None, None]}, steps.split(state[None]), dict(sizes)
        )
        trajectory = evaluate(program, values, arithmetic)
        pulled = differentiate(backward, trajectory, d_output, steps.split(adjoint), arithmetic).states
        expected = np.concatenate([pulled[name] for name in steps.state_sizes], axis=1)
        if np.abs(steps.pull_back(t, adjoint) - expected).max() > SCREEN * np.abs(expected).max():
            return False
        state = np.concatenate([trajectory.steps[0][name][0] for name in steps.state_sizes])
    return True
