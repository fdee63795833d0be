"""torch modules: driven as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from

if TYPE_CHECKING:
    from torch import nn


class TorchAdapter:
    """Drives torch.nn.Module, and modules compiled by torch.jit."""

    name = "torch"
    options: tuple[str, ...] = ()

    def accepts(self, cell_type: type) -> bool:
        """Whether a class is a torch module; adapters that are asked earlier take Keras layers, which are too."""
        return comes_from(cell_type, "torch.nn.modules", "torch.jit")

    def defaults(self, cell_type: type) -> Mapping[str, object]:
        """Nothing: the sizes suffice."""
        return {}

    def drive(self, cell: nn.Module, n: int, d: int, options: Mapping[str, object]) -> DrivenModule:
        """Drive the module itself."""
        return DrivenModule(cell)
