"""Which kernel really ran: the events of torch's profiler that tell one kernel from another."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rnn_harness.kernels.environment.profiler import profiled_event_names

_DISTINCTIVE = re.compile(
    r"aten::(rnn_tanh|rnn_tanh_cell|gru|gru_cell|lstm|lstm_cell|mkldnn_rnn_layer|mkldnn_rnn_layer_backward|_cudnn_rnn\w*"
    r"|_thnn_\w+)$|.*(Torch-Compiled|CompiledFunction|Sequence|scan|triton|cpp_fused|gemm|GEMM|RNN_|LSTM_|GRU_).*"
)
"""Event names that tell one kernel from another; every other event is glue."""


@dataclass(frozen=True)
class KernelEvents:
    """The profiler's events of a run, sorted by name.

    Attributes:
        distinctive: Those that tell one kernel from another.
        complete: Every event, for readers who want to look.
    """

    distinctive: tuple[str, ...]
    complete: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.distinctive) or "none but plain tensor operations"

    def mismatch(self, expected: tuple[str, ...], forbidden: tuple[str, ...]) -> str:
        """Say how the run differs from that of the kernel that was asked for.

        Args:
            expected: Patterns of which each must match an event.
            forbidden: Patterns of which none may match an event.

        Returns:
            What is missing and what should not be there; empty if nothing is.
        """
        missing = [pattern for pattern in expected if not any(re.fullmatch(pattern, name) for name in self.complete)]
        present = [name for name in self.complete if any(re.fullmatch(pattern, name) for pattern in forbidden)]
        parts = [f"{', '.join(missing)} did not run"] if missing else []
        parts += [f"{', '.join(present)} ran"] if present else []
        return "; ".join(parts)


def record_events(run: Callable[[], object], device: str = "cpu") -> KernelEvents:
    """Run under the profiler.

    Args:
        run: What is called once; whatever is compiled or set up on a first call should have been done before.
        device: ``cpu`` or ``cuda``.
    """
    names = profiled_event_names(run, device)
    return KernelEvents(tuple(name for name in names if _DISTINCTIVE.fullmatch(name)), names)
