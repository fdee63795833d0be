"""Which kernel really ran: what torch's profiler saw, and what Triton launched."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TELLING = re.compile(
    r"aten::(rnn_tanh|rnn_tanh_cell|gru|gru_cell|lstm|lstm_cell|mkldnn_rnn_layer|mkldnn_rnn_layer_backward|_cudnn_rnn\w*"
    r"|_thnn_\w+)$|.*(Torch-Compiled|CompiledFunction|Sequence|scan|triton|cpp_fused|gemm|GEMM|RNN_|LSTM_|GRU_).*"
)
"""Event names that tell one kernel from another; all the rest is glue."""


@dataclass(frozen=True)
class Ran:
    """The telling events of a run, sorted; `all` of them for who wants to look."""

    events: tuple[str, ...]
    all: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.events) or "none but plain tensor operations"

    def differs(self, expects: tuple[str, ...], never: tuple[str, ...]) -> str:
        """What is missing or should not be there; empty if this is the kernel that was asked for."""
        missing = [name for name in expects if not any(re.fullmatch(name, event) for event in self.all)]
        present = [event for event in self.all if any(re.fullmatch(name, event) for name in never)]
        parts = [f"{', '.join(missing)} did not run"] if missing else []
        parts += [f"{', '.join(present)} ran"] if present else []
        return "; ".join(parts)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The profiler's native code writes to standard error; it goes nowhere meanwhile."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def watch(run: Callable[[], object], device: str = "cpu") -> Ran:
    """Run under the profiler. What is compiled or set up on a first call should have been done before."""
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with quiet(), profile(activities=activities) as seen:
        run()
    names = tuple(sorted({event.name for event in seen.events()}))
    return Ran(tuple(name for name in names if _TELLING.fullmatch(name)), names)
