"""Cells that take a configuration beside their sizes, as agents and research code do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


class OfWidthAndArguments(nn.Module):
    """An agent's cell: the width of what it sees, and a namespace with everything else."""

    def __init__(self, input_shape: int, args: Any) -> None:
        super().__init__()
        self.cell = nn.GRUCell(input_shape, args.rnn_hidden_dim)
        self.dropout = nn.Dropout(args.drop_prob_lm)
        self.norm = nn.LayerNorm(args.rnn_hidden_dim) if getattr(args, "use_layer_norm", False) else None

    def forward(self, inputs: Tensor, hidden_state: Tensor) -> Tensor:
        return self.dropout(self.cell(inputs, hidden_state))


class OfSizesAndHyperparameters(nn.Module):
    """Sizes by name, and a dictionary that is asked what it holds."""

    def __init__(self, isize: int, hsize: int, hparams: Any) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(isize, hsize), nn.Linear(hsize, hsize, bias=False)
        self.is_relu = "is_relu" in hparams and hparams["is_relu"]

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        total = self.x(x) + self.h(h)
        return torch.relu(total) if self.is_relu else torch.tanh(total)


class OfOptions(nn.Module):
    """One object with sizes under names that no other code has."""

    def __init__(self, opt: Any) -> None:
        super().__init__()
        self.cell = nn.RNNCell(opt.input_encoding_size, opt.rnn_size, nonlinearity=opt.kind_of_function)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.cell(x, h)


with_relu = {"is_relu": True}
options = SimpleNamespace(input_encoding_size=8, rnn_size=6, kind_of_function="relu")
