"""A torch target whose forward switches gradients off (``torch.no_grad``): made for inference, and judged as that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from rnn_harness.validation.consistency.driven_cell import DrivenCell

REASON = "its forward computes under torch.no_grad, so it has no gradients: it is judged as made for inference"


@dataclass
class _GradientMode(TorchFunctionMode):
    """Notes whether a function of torch was called while gradients were switched off."""

    was_off: bool = field(default=False)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, function: Callable[..., Any], _types: Any, arguments: tuple[Any, ...] = (), keywords: Any = None
    ) -> Any:
        self.was_off |= not torch.is_grad_enabled()
        return function(*arguments, **(keywords or {}))


def is_inference_only(cell: DrivenCell) -> bool:
    """Say whether a cell switches gradients off, and gives nothing that could be differentiated.

    A cell that loses all gradients in another way, as by ``detach``, is none: that is a mistake.

    Args:
        cell: A cell that torch runs.
    """
    leaves = cell.leaves(cell.arguments(1, 2))
    with torch.enable_grad(), _GradientMode() as mode:
        run = cell.connected_run(leaves.arguments, leaves.parameters)
    return mode.was_off and not any(result.requires_grad for result in run.tensors)
