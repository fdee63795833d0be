"""Steps whose states are named otherwise than h and c, as papers and people name them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnn_harness.array_types import Array


def oscillators(u: Array, y: Array, z: Array, W: Array, Wy: Array, Wz: Array, b: Array) -> tuple[Array, Array]:
    """A coRNN; its results have the names of its states."""
    z_new = z + 0.1 * (np.tanh(u @ W.T + y @ Wy.T + z @ Wz.T + b) - y - z)
    y_new = y + 0.1 * z_new
    return y_new, z_new


def oscillators_turned(u: Array, y: Array, z: Array, W: Array, Wy: Array, Wz: Array, b: Array) -> tuple[Array, Array]:
    """The same, which gives its states back in the other order."""
    z_next = z + 0.1 * (np.tanh(u @ W.T + y @ Wy.T + z @ Wz.T + b) - y - z)
    y_next = y + 0.1 * z_next
    return z_next, y_next


def oscillators_without_names(
    force: Array, pos: Array, vel: Array, W: Array, Wp: Array, Wv: Array, b: Array
) -> tuple[Array, Array]:
    """The same; only how many results there are, and that weights follow, says what the states are."""
    new = vel + 0.1 * (np.tanh(force @ W.T + pos @ Wp.T + vel @ Wv.T + b) - pos - vel)
    return pos + 0.1 * new, 1.0 * new


def oscillators_with_the_old_velocity(
    u: Array, y: Array, z: Array, W: Array, Wy: Array, Wz: Array, b: Array
) -> tuple[Array, Array]:
    """A coRNN that is wrong: its position moves by the old velocity."""
    z_new = z + 0.1 * (np.tanh(u @ W.T + y @ Wy.T + z @ Wz.T + b) - y - z)
    y_new = y + 0.1 * z
    return y_new, z_new


def long_memory(
    inputs: Tensor, y_prev: Tensor, z_prev: Tensor, w_x: Tensor, w_y: Tensor, w_z: Tensor, b: Tensor
) -> object:
    """A LEM of torch tensors, its gates in the order a, e."""
    a, e, new_z, new_y = F.linear(inputs, w_x, b).chunk(4, -1)
    a_of_y, e_of_y, z_of_y = F.linear(y_prev, w_y).chunk(3, -1)
    a, e = torch.sigmoid(a + a_of_y), torch.sigmoid(e + e_of_y)
    z = (1 - e) * z_prev + e * torch.tanh(new_z + z_of_y)
    y = (1 - a) * y_prev + a * torch.tanh(new_y + F.linear(z_prev, w_z))
    return y, z


def gru_with_a_gain(x: Array, h: Array, gamma: Array, W: Array, U: Array, b: Array) -> tuple[Array, Array]:
    """A GRU that gives an output beside its one state: gamma is a weight, although there are two results."""
    r, z, n = np.split(x @ W + b, 3, axis=-1)
    of_h = np.split(h @ U, 3, axis=-1)
    r, z = 1 / (1 + np.exp(-(r + of_h[0]))), 1 / (1 + np.exp(-(z + of_h[1])))
    n = np.tanh(n + r * of_h[2])
    return (1 - z) * n + z * h, gamma * ((1 - z) * n + z * h)


def four_states(
    x: Array, h: Array, c: Array, n: Array, m: Array, W: Array, R: Array, b: Array
) -> tuple[Array, Array, Array, Array]:
    """An sLSTM: more states than are driven of a function."""
    z, i, f, o = np.split(x @ W + h @ R + b, 4, axis=-1)
    m_new = np.maximum(f + m, i)
    i, f = np.exp(i - m_new), np.exp(f + m - m_new)
    c_new, n_new = f * c + i * np.tanh(z), f * n + i
    h_new = c_new / n_new / (1 + np.exp(-o))
    return h_new, c_new, n_new, m_new


class OtherGateInLongMemory(nn.Module):
    """A LEM that is wrong: y is kept by 1 - e and not by 1 - a; seen with its states exchanged, more seems right."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.of_x = nn.Linear(input_size, 4 * hidden_size)
        self.of_y = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        self.of_z = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Compute a step."""
        y, z = states
        a, e, new_z, new_y = self.of_x(x).chunk(4, -1)
        a_of_y, e_of_y, z_of_y = self.of_y(y).chunk(3, -1)
        a, e = torch.sigmoid(a + a_of_y), torch.sigmoid(e + e_of_y)
        next_z = (1 - e) * z + e * torch.tanh(new_z + z_of_y)
        return (1 - e) * y + a * torch.tanh(new_y + self.of_z(z)), next_z
