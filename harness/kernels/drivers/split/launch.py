"""Launching a split kernel: all steps in one cooperative launch on a GPU, one launch a phase in the interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnn_harness.kernels.drivers.fused.launch import CompileOptions, device_of, log_launch
from rnn_harness.kernels.drivers.fused.limits import SMALLEST_TILE, is_interpreted
from rnn_harness.kernels.drivers.split.layout import Layout

if TYPE_CHECKING:
    from torch import Tensor

MOST_ARRIVALS = 2**31 - 1
"""How far the programs that have arrived are counted within a launch; longer sequences are several launches."""
WARPS = 8
"""Of a program; each part of the units is multiplied by a warp of its own."""


@dataclass(frozen=True)
class SplitLaunch:
    """One kernel with everything that it is called with.

    Attributes:
        kernel: A function under ``triton.jit``.
        tensors: Its first arguments, in order; all on one device.
        lengths: The steps of every row (B,), on the same device; None where every row has T.
        sizes: (T, B, D).
        precision: One of `limits.PRECISIONS`.
        flags: Compile-time flags of the variant, in lower case.
        phases: The phases of a step: 1, or 2 where all programs must meet within it.
        is_backward: Whether there is one more step, which gives the gradients of the initial states.
    """

    kernel: Any
    tensors: tuple[Tensor, ...]
    lengths: Tensor | None
    sizes: tuple[int, int, int]
    precision: str
    flags: dict[str, bool]
    phases: int
    is_backward: bool

    def run(self, layout: Layout, processors: int) -> None:
        """Run the kernel; torch's profiler shows it as ``triton::split_<name>``.

        Args:
            layout: How the weights are divided among programs.
            processors: How many programs can run at the same time.
        """
        import torch

        _, batch, d = self.sizes
        if batch == 0 or d == 0:
            return
        columns = -(-d // layout.columns)
        tiles = -(-batch // SMALLEST_TILE)
        name = f"split_{self.kernel.fn.__name__}"
        dtype = str(self.tensors[0].dtype).removeprefix("torch.")
        with device_of(self.tensors[0]), torch.profiler.record_function(f"triton::{name}"):
            log_launch(name, columns * tiles, dtype, self.precision)
            if is_interpreted():
                self._run_by_phases(layout, (columns, tiles))
            else:
                self._run_whole(layout, columns, tiles, max(1, processors // columns))

    def _arguments(self, begin: int, end: int, first_tile: int, tiles: int) -> list[Any]:
        """Give the arguments of one launch for a range of tiles of rows."""
        import torch

        counter = torch.zeros(tiles, dtype=torch.int32, device=self.tensors[0].device)
        return [*self.tensors, self.lengths, counter, begin, end, *self.sizes, first_tile]

    def _run_whole(self, layout: Layout, columns: int, tiles: int, tiles_at_once: int) -> None:
        """Run all steps in one cooperative launch; in several, one after the other, where the rows are too many."""
        options = self._options(layout)
        last = self.sizes[0] + self.is_backward
        at_once = MOST_ARRIVALS // (columns * self.phases)
        for first in range(0, tiles, tiles_at_once):
            number = min(tiles_at_once, tiles - first)
            for begin in range(0, last, at_once):
                arguments = self._arguments(begin, min(begin + at_once, last), first, number)
                self.kernel[(columns, number)](*arguments, **self._variant, **options.constants, **options.compiler)

    def _run_by_phases(self, layout: Layout, grid: tuple[int, int]) -> None:
        """Run every phase of every step in a launch of its own: the interpreter runs one program after the other."""
        constants = self._options(layout).constants | {"INTERPRETED": True, "SYNC": False}
        for step in range(self.sizes[0] + self.is_backward):
            for phase in range(self.phases) if self.phases > 1 else (-1,):
                arguments = self._arguments(step, step + 1, 0, grid[1])
                self.kernel[grid](*arguments, **self._variant, **constants | {"PHASE": phase})

    @property
    def _variant(self) -> dict[str, bool]:
        """The flags by their names in the kernel."""
        return {key.upper(): value for key, value in self.flags.items()}

    def _options(self, layout: Layout) -> CompileOptions:
        """Give what the kernel is compiled with."""
        dtype = str(self.tensors[0].dtype).removeprefix("torch.")
        return split_options(dtype, self.precision, layout, self.lengths is not None)


def split_options(dtype: str, precision: str, layout: Layout, lengths: bool) -> CompileOptions:
    """Give what a kernel is compiled with that runs whole on a GPU, besides the flags of its variant.

    Args:
        dtype: The format of storage.
        precision: One of `limits.PRECISIONS`.
        layout: How the weights are divided.
        lengths: Whether rows have lengths of their own.
    """
    import triton.language as tl

    constants = {
        "ACC": tl.float64 if dtype == "float64" else tl.float32,
        "PRECISION": precision,
        "INTERPRETED": False,
        "LENGTHS": lengths,
        "SYNC": True,
        "PHASE": -1,
        "BLOCK_B": SMALLEST_TILE,
        "PARTS": layout.parts,
        "PART": layout.part,
        "COLUMNS": layout.columns,
    }
    # A program waits for all others: the launch is refused unless they fit on the device at the same time.
    return CompileOptions(constants, {"num_warps": WARPS, "num_stages": 1, "launch_cooperative_grid": True})
