"""An RNN layer made for inference alone, one that is so wrong, and one that loses its gradients by a mistake."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Inference(nn.Module):
    """Computes in a buffer, without gradients."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x2h, self.h2h = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size, bias=False)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x2h(x) + self.h2h(h))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[1], self.h2h.out_features)
        outputs = x.new_empty(*x.shape[:2], h.shape[1])
        for step, xt in enumerate(x):
            outputs[step] = h.copy_(self.step(xt, h))
        return outputs


class WrongInference(Inference):
    """Adds its bias twice."""

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.x2h(x) + self.x2h.bias + self.h2h(h))


class Detached(Inference):
    """Gives its outputs without their graph."""

    def forward(self, x: Tensor) -> Tensor:
        h, outputs = x.new_zeros(x.shape[1], self.h2h.out_features), []
        for xt in x:
            h = self.step(xt, h)
            outputs.append(h)
        return torch.stack(outputs).detach()
