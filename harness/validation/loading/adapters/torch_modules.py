"""torch modules: driven as they are, or with the weights that they compute from others in the place of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_harness.errors import UsageError
from rnn_harness.options import Options
from rnn_harness.validation.cells.capabilities import TargetCapabilities
from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from
from rnn_harness.validation.loading.adapters.effective_weights import with_effective_weights
from rnn_harness.validation.loading.adapters.fixed_weights import with_fixed_weights
from rnn_harness.validation.loading.methods_of_steps import with_step_as_forward

if TYPE_CHECKING:
    from torch import nn

DTYPES = ("float64", "float32", "bfloat16", "float16")
"""What torch computes in; a module that refuses one of the last two is told so when it is called in it."""


class TorchAdapter:
    """Drives torch.nn.Module, and modules compiled by torch.jit."""

    name = "torch"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Say whether a class is a torch module; adapters that are asked earlier take Keras layers, which are too."""
        return comes_from(cell_type, "torch.nn.modules", "torch.jit")

    def defaults(self, cell_type: type) -> Options:
        """Return nothing: the sizes suffice."""
        return {}

    def drive(self, cell: nn.Module, n: int, d: int, options: Options) -> DrivenModule:
        """Drive the module itself; the one inside where it only distributes the work.

        Raises:
            UsageError: Its weights are packed, so that no others can be handed to it.
        """
        import torch

        if isinstance(cell, torch.nn.DataParallel):
            cell = cell.module
        if any(_packs_its_weights(part) for _, part in cell.named_modules()):
            raise UsageError(
                f"{type(cell).__name__} holds its weights packed as 8-bit integers, so no others can be handed to it: "
                "what it was quantised from can be validated, and a module that rounds its weights in forward"
            )
        step = with_step_as_forward(cell)
        library = "TorchScript" if isinstance(cell, torch.jit.ScriptModule) else None
        effective = with_effective_weights(cell)
        notes = (*effective.notes(), *with_fixed_weights(effective.module))
        if step:
            notes = (f"it has no forward: its method {step} is judged", *notes)
        return DrivenModule(effective.module, TargetCapabilities(library=library, notes=notes, dtypes=DTYPES))


def _packs_its_weights(part: nn.Module) -> bool:
    """Say whether a module is one of torch's with 8-bit weights; its functional operations hold no weights."""
    kind = type(part)
    return comes_from(kind, "torch.ao.nn.quantized") and not comes_from(
        kind, "torch.ao.nn.quantized.modules.functional_modules"
    )
