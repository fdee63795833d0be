"""A layer that takes float64 and multiplies in float32, as a library may."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SingleInside(nn.Module):
    """A GRU over (B, T, n) with weights of its own for each gate."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.units = hidden_size
        self.of_input = nn.ModuleList([nn.Linear(input_size, hidden_size) for _ in range(3)])
        self.of_state = nn.ModuleList([nn.Linear(hidden_size, hidden_size) for _ in range(3)])

    def product(self, part: nn.Module, value: Tensor) -> Tensor:
        """Multiply and add in float32."""
        weight, bias = torch.as_tensor(part.weight), torch.as_tensor(part.bias)
        return nn.functional.linear(value.float(), weight.float(), bias.float()).to(value.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Go over the sequence."""
        h, outputs = x.new_zeros(len(x), self.units), []
        for step in x.unbind(1):
            inputs = [self.product(part, step) for part in self.of_input]
            states = [self.product(part, h) for part in self.of_state]
            z, r = torch.sigmoid(inputs[0] + states[0]), torch.sigmoid(inputs[1] + states[1])
            h = z * h + (1 - z) * torch.tanh(inputs[2] + r * states[2])
            outputs.append(h)
        return torch.stack(outputs, 1)
