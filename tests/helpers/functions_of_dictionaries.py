"""Steps on torch tensors with their weights in a dictionary, and what makes it, for each with its family's name."""

from __future__ import annotations

import torch
from torch import Tensor

Weights = dict[str, Tensor]


def init_params(n_in: int, n_hidden: int, generator: torch.Generator | None = None) -> Weights:
    shapes = {"W": (n_in, n_hidden), "U": (n_hidden, n_hidden), "b": (n_hidden,)}
    return {
        f"{name}_{gate}": torch.rand(*shape, generator=generator) for gate in "ifog" for name, shape in shapes.items()
    }


def lstm_step(x: Tensor, h: Tensor, c: Tensor, params: Weights) -> tuple[Tensor, Tensor]:
    total = {gate: x @ params[f"W_{gate}"] + h @ params[f"U_{gate}"] + params[f"b_{gate}"] for gate in "ifog"}
    c = total["f"].sigmoid() * c + total["i"].sigmoid() * total["g"].tanh()
    return total["o"].sigmoid() * c.tanh(), c


def gru_init(n_in: int, n_hidden: int) -> Weights:
    shapes = {"W": (n_in, n_hidden), "U": (n_hidden, n_hidden), "b": (n_hidden,)}
    return {f"{name}{gate}": torch.rand(*shape) for gate in "zrh" for name, shape in shapes.items()}


def gru_step(x: Tensor, h: Tensor, params: Weights) -> Tensor:
    z, r = (torch.sigmoid(x @ params[f"W{g}"] + h @ params[f"U{g}"] + params[f"b{g}"]) for g in "zr")
    candidate = torch.tanh(x @ params["Wh"] + (r * h) @ params["Uh"] + params["bh"])
    return z * h + (1 - z) * candidate


def gru_step_without_reset(x: Tensor, h: Tensor, params: Weights) -> Tensor:
    z = torch.sigmoid(x @ params["Wz"] + h @ params["Uz"] + params["bz"])
    candidate = torch.tanh(x @ params["Wh"] + h @ params["Uh"] + params["bh"])
    return z * h + (1 - z) * candidate + 0 * params["Wr"].sum() + 0 * (params["Ur"].sum() + params["br"].sum())
