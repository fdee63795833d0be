"""What drives a kernel: torch tensors in, torch tensors out, by the kernel's own parameter names."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from rnn_harness.array_types import IndexArray
from rnn_harness.kernels.packing import ParameterMap

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, "Tensor"]
"""Tensors by name: parameters by the kernel's names, states by the reference's names."""


class Driver(Protocol):
    """A kernel that runs on tensors which already have its dtype and device."""

    @property
    def table(self) -> ParameterMap:
        """The map between the kernel's parameters and the reference's."""

    @property
    def absent(self) -> tuple[str, ...]:
        """The reference's parameters, and states as ``states.h``, that the kernel lacks: they count as zero."""

    @property
    def no_gradients_reason(self) -> str:
        """Why the kernel has no gradients; empty if it has."""

    @property
    def is_candidate(self) -> bool:
        """Whether it drives code of others, which may compute tanh and sigmoid in ways of its own."""

    def parameters_swapped_in(self, leaves: Tensors, inputs: Tensor, states: Tensors) -> AbstractContextManager[None]:
        """Give the context in which the backward of a run on these arguments must happen.

        Args:
            leaves: Parameters by the kernel's names.
            inputs: (T, B, n).
            states: Initial states (B, d) by the reference's names.
        """

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run the kernel over a sequence.

        Args:
            leaves: Parameters by the kernel's names.
            inputs: (T, B, n).
            states: Initial states (B, d) by the reference's names.
            lengths: Steps of every row (B,), or None where every row has T.

        Returns:
            The outputs (T, B, d), and the final states (B, d) by the reference's names.

        Raises:
            Refused: The kernel does not take such arguments.
        """


class TrainableDriver:
    """The usual answers of a driver: nothing is absent, it has gradients, and its backward needs no preparation."""

    @property
    def absent(self) -> tuple[str, ...]:
        """Nothing: the kernel has every parameter and state of its reference."""
        return ()

    @property
    def no_gradients_reason(self) -> str:
        """The empty string: the kernel has gradients."""
        return ""

    @property
    def is_candidate(self) -> bool:
        """False: it computes tanh and sigmoid with torch."""
        return False

    def parameters_swapped_in(
        self,
        leaves: Tensors,
        inputs: Tensor,
        states: Tensors,
    ) -> AbstractContextManager[None]:
        """Give a context that does nothing.

        Args:
            leaves: Not read.
            inputs: Not read.
            states: Not read.
        """
        return contextlib.nullcontext()
