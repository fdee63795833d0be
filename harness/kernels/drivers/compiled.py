"""The plain step under torch.compile: compiled once for its sizes, called once a time step.

Compiling the step and not the unrolled sequence keeps the compile time independent of T.
"""

from __future__ import annotations

import functools
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.array_types import IndexArray
from rnn_harness.errors import Refused
from rnn_harness.kernels.driver_protocol import Tensors, TrainableDriver
from rnn_harness.kernels.drivers.eager import STEPS, Step, unroll
from rnn_harness.kernels.packing import Table
from rnn_harness.kernels.setting import Setting
from rnn_harness.references import Reference

if TYPE_CHECKING:
    from torch import Tensor


_RECOMPILE_LIMIT = 256


def missing_compiler(setting: Setting) -> str | None:
    """Say why inductor cannot compile for a setting; None if it can.

    Args:
        setting: Only its device counts: on the processor inductor calls a C++ compiler.
    """
    if setting.device == "cpu" and not (shutil.which("g++") or shutil.which("clang++") or shutil.which("c++")):
        return "torch.compile needs a C++ compiler on the path (g++ or clang++)"
    return None


@functools.cache
def _compiled_step(reference: Reference) -> Step:
    """Compile the step of a reference's variant."""
    import torch

    step: Step = torch.compile(STEPS[reference.name](reference), fullgraph=True, dynamic=False)
    return step


def _recompile_limit_raised() -> AbstractContextManager[None]:
    """Leave room for every size and variant that is tried.

    They share the code of one step, and torch counts compilations by code.
    """
    import torch._dynamo.config as config

    name = "recompile_limit" if hasattr(config, "recompile_limit") else "cache_size_limit"
    context: AbstractContextManager[None] = config.patch({name: _RECOMPILE_LIMIT})
    return context


@dataclass(frozen=True)
class CompiledDriver(TrainableDriver):
    """The step of a reference's variant, compiled by inductor; autograd goes through the compiled backward.

    Attributes:
        reference: The reference whose variant is run.
    """

    reference: Reference

    @property
    def table(self) -> Table:
        """The identity: the kernel uses the reference's own names."""
        return Table.identity(tuple(self.reference.parameter_shapes(1, 1)))

    def run(
        self, leaves: Tensors, inputs: Tensor, states: Tensors, lengths: IndexArray | None
    ) -> tuple[Tensor, Tensors]:
        """Run over a sequence, as `Driver.run` says.

        Raises:
            Refused: Lengths are given.
        """
        if lengths is not None:
            raise Refused("the compiled step is tried without lengths: they would be handled outside of it")
        with _recompile_limit_raised():
            step = _compiled_step(self.reference)  # type: ignore[arg-type]
            return unroll(step, leaves, inputs, states, None)
