"""torch modules: driven as they are.

Dimension legend: n input size, d hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnn_harness.validation.loading.adapters.adapter import DrivenModule, comes_from


class Torch:
    """torch.nn.Module."""

    name = "torch"
    options: tuple[str, ...] = ()

    def claims(self, kind: type) -> bool:
        """Modules of torch that no other library's adapter takes first."""
        return comes_from(kind, "torch.nn.modules", "torch.jit")

    def defaults(self, kind: type) -> Mapping[str, Any]:
        """None."""
        return {}

    def wrap(self, module: Any, n: int, d: int, options: Mapping[str, Any]) -> DrivenModule:
        """The module itself."""
        return DrivenModule(module)
