"""torch's packed parameters in the reference's names: gate order, two biases, layers and directions.

torch stacks i, f, g, o for the LSTM and r, z, n for the GRU; its n is the reference's candidate g. The GRU's candidate
keeps two biases apart (b_g outside the reset gate, b_hg inside); all other pairs of biases act as their sum.
"""

from __future__ import annotations

from rnn_harness.families import FAMILIES
from rnn_harness.kernels.packing import Table


def cell_rows(family: str, suffix: str = "", prefix: str = "", bias: bool = True) -> dict[str, str]:
    """Give the rows of one cell's parameters: two weights, and with bias two biases.

    Args:
        family: ``rnn``, ``gru`` or ``lstm``.
        suffix: What torch puts behind its names: ``_l0``, ``_l0_reverse``.
        prefix: What the reference puts before its names: ``layer0.``, ``forward.``.
        bias: Whether the cell has biases.
    """
    gates = FAMILIES[family].torch_gates

    def stack(letter: str) -> str:
        return "; ".join(f"{prefix}W_{letter}{gate}" for gate in gates)

    rows = {f"weight_ih{suffix}": stack("x"), f"weight_hh{suffix}": stack("h")}
    if bias:
        biases = [f"{prefix}b_{gate}" if gate else f"{prefix}b" for gate in gates]
        inner = [
            f"{prefix}b_hg" if family == "gru" and gate == "g" else b for gate, b in zip(gates, biases, strict=True)
        ]
        rows |= {f"bias_ih{suffix}": "; ".join(biases), f"bias_hh{suffix}": "; ".join(inner)}
    return rows


def projected_table() -> Table:
    """Give the map of nn.LSTM with proj_size, in the names of its spec."""
    gates = FAMILIES["lstm"].torch_gates
    biases = "; ".join(f"b_{gate}" for gate in gates)
    return Table.of(
        {
            "weight_ih_l0": "; ".join(f"W_i{gate}" for gate in gates),
            "weight_hh_l0": "; ".join(f"W_h{gate}" for gate in gates),
            "bias_ih_l0": biases,
            "bias_hh_l0": biases,
            "weight_hr_l0": "W_hr",
        }
    )


def cell_table(family: str, bias: bool = True) -> Table:
    """Give the map of nn.RNNCell, nn.GRUCell or nn.LSTMCell.

    Args:
        family: ``rnn``, ``gru`` or ``lstm``.
        bias: Whether the cell has biases.
    """
    return Table.of(cell_rows(family, bias=bias))


def layer_table(family: str, layers: int = 1, bidirectional: bool = False, bias: bool = True) -> Table:
    """Give the map of nn.RNN, nn.GRU or nn.LSTM with one layer, several layers, or both directions.

    Args:
        family: ``rnn``, ``gru`` or ``lstm``.
        layers: Layers on top of each other.
        bidirectional: Whether a second direction reads the sequence backwards.
        bias: Whether it has biases.
    """
    if bidirectional:
        rows = cell_rows(family, "_l0", "forward.", bias) | cell_rows(family, "_l0_reverse", "backward.", bias)
    elif layers == 1:
        rows = cell_rows(family, "_l0", "", bias)
    else:
        rows = {k: v for i in range(layers) for k, v in cell_rows(family, f"_l{i}", f"layer{i}.", bias).items()}
    return Table.of(rows)
