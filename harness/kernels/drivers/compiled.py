"""The plain step under torch.compile: compiled once for its sizes, called once a time step.

Compiling the step and not the unrolled sequence keeps the compile time independent of T.
Dimension legend: T time steps, B batch rows, n input size, d hidden size.
"""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnn_harness.errors import Refused
from rnn_harness.kernels.drivers.eager import STEPS, unroll
from rnn_harness.kernels.kernel import Setting
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.torch_reference import Tensors
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


_MOST_COMPILED = 256


def missing_compiler(setting: Setting) -> str | None:
    """Why inductor cannot compile here."""
    if setting.device == "cpu" and not (shutil.which("g++") or shutil.which("clang++") or shutil.which("c++")):
        return "torch.compile needs a C++ compiler on the path (g++ or clang++)"
    return None


@functools.cache
def _compile(like: Reference) -> Any:
    import torch

    return torch.compile(STEPS[like.name](like), fullgraph=True, dynamic=False)


def _compiled_sizes() -> Any:
    """Room for every size and variant that is tried: they share the code of one step, and torch counts by code."""
    import torch._dynamo.config as config

    name = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"
    return config.patch({name: _MOST_COMPILED})


@dataclass(frozen=True)
class CompiledDriver:
    """The step of a reference's variant, compiled by inductor; autograd goes through the compiled backward."""

    like: Reference

    @property
    def table(self) -> Table:
        return Table.identity(tuple(self.like.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: NDArray[np.intp] | None
    ) -> tuple[Tensor, Tensors]:
        if lengths is not None:
            raise Refused("the compiled step is tried without lengths: they would be handled outside of it")
        with _compiled_sizes():
            outputs, finals = unroll(
                _compile(self.like),  # type: ignore[arg-type]
                leaves,
                inputs,
                states,
                None,
            )
        return outputs, finals
