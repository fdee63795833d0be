"""The steps of a candidate, and the product of adjoints and Jacobian by its own vector-Jacobian products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnn_harness.arithmetic.torch_dtype import torch_dtype
from rnn_harness.array_types import Array
from rnn_harness.kernels.driver_protocol import Driver, Tensors

if TYPE_CHECKING:
    from torch import Tensor


class CandidateSteps:
    """A candidate over segments of a sequence; see `CellSteps`.

    The whole state is all states in a row: first the one that is the output or, where none is, the first.

    Attributes:
        hidden_size: The size of the first state.
        state_size: The size of all states together.
    """

    def __init__(self, driver: Driver, leaves: Tensors, widths: Mapping[str, int], dtype: str) -> None:
        """Take the weights of a candidate.

        Args:
            driver: Runs it, from given states.
            leaves: Its weights by its own names.
            widths: The size of every state by its name, that of the output first.
            dtype: The dtype in which it runs.
        """
        self._driver, self._leaves, self._widths = driver, leaves, dict(widths)
        self._dtype = torch_dtype(dtype)
        self.hidden_size = next(iter(self._widths.values()))
        self.state_size = sum(self._widths.values())
        self._inputs: Array = np.zeros((0, 0))
        self._states: list[Array] = []

    def run(self, inputs: Array, state: Array) -> None:
        """Run over a segment (S, n) from a whole state (s,), and keep the state before every step."""
        self._inputs, self._states = inputs, [state]
        for x in inputs[:-1]:
            self._states.append(self.last_state(x[None], self._states[-1]))

    def last_state(self, inputs: Array, state: Array) -> Array:
        """Return the whole state (s,) after a segment (S, n)."""
        import torch

        with torch.no_grad():
            state_rows = torch.tensor(state[None], dtype=self._dtype)
            last: Array = self._after(torch.tensor(inputs[:, None], dtype=self._dtype), state_rows)[0].double().numpy()
        return last

    def _after(self, inputs: Tensor, state_rows: Tensor) -> Tensor:
        """Return the whole states (B, s) after inputs (S, B, n)."""
        import torch

        _, finals = self._driver.run(self._leaves, inputs, self._split(state_rows), None)
        return torch.cat([finals[name] for name in self._widths], dim=1)

    def _split(self, state_rows: Tensor) -> Tensors:
        """Cut whole states (B, s) into the states by name."""
        import torch

        parts = torch.split(state_rows, list(self._widths.values()), dim=1)
        return dict(zip(self._widths, parts, strict=True))

    def pull_back(self, t: int, adjoints: Array) -> Array:
        """Multiply adjoints (r, s) by the Jacobian of step t: every adjoint is that of a row with the same numbers."""
        import torch

        size = float(np.abs(adjoints).max())
        if not size:
            return np.zeros_like(adjoints)
        rows = len(adjoints)
        inputs = torch.tensor(self._inputs[t], dtype=self._dtype).expand(1, rows, -1).contiguous()
        leaf = torch.tensor(self._states[t], dtype=self._dtype).repeat(rows, 1).requires_grad_()
        after = self._after(inputs, leaf)
        if not after.requires_grad:
            return np.zeros_like(adjoints)
        # Adjoints that have shrunk for long are no numbers of float32 any more: they go in at size one.
        weights = torch.tensor(adjoints / size, dtype=self._dtype)
        with self._driver.parameters_swapped_in(self._leaves, inputs, self._split(leaf)):
            (before,) = torch.autograd.grad(after, leaf, weights, allow_unused=True, materialize_grads=True)
        pulled: Array = before.double().numpy() * size
        return pulled
