"""Wrong gated recurrent units."""

from __future__ import annotations

from rnn_harness.mutants.mutant import Mutant
from rnn_harness.records.kill_matrix import Part

_KEEP, _WRITE, _AFTER, _SIGMA = "gru.keep.column", "gru.write.concatenated", "gru.reset_after", "gru.sigma"


def _gru(name: str, part: Part, old: str, new: str, published_bug: str = "", spec: str = _KEEP) -> Mutant:
    return Mutant(f"gru.{name}", spec, "gru", part, old, new, published_bug)


_MIX_KEEP = "            np.multiply(z, h, out=out)\n            complement *= g\n"
_MIX_WRITE = "            np.multiply(z, g, out=out)\n            complement *= h\n"
_OPENED = "sigmoid_of_minus_to(opened, opened)"
_CARRIED, _CANDIDATE, _GATES = "dh *= keep[t]", "dh += q", "dh += through"

MUTANTS = (
    _gru("update gate swapped", "forward", _MIX_KEEP, _MIX_WRITE),
    _gru("update gate swapped the other way", "forward", _MIX_WRITE, _MIX_KEEP, spec=_WRITE),
    _gru("candidate weighted with the keep gate", "forward", "complement *= g", "np.multiply(z, g, out=complement)"),
    _gru("candidate added whole", "forward", "complement *= g", "complement[...] = g"),
    _gru("update gate pinned to keep", "forward", _OPENED, f"{_OPENED}; z[...] = 1"),
    _gru("reset gate pinned shut", "forward", _OPENED, f"{_OPENED}; r[...] = 0"),
    _gru("reset gate unused", "forward", "np.multiply(r, old, out=m)", "m[...] = old"),
    _gru(
        "update gate resets",
        "forward",
        "np.multiply(r, old, out=m)",
        "np.multiply(z, old, out=m)",
    ),
    _gru(
        "reset after instead of before",
        "forward",
        'np.matmul(p["W_hg"], m, out=g)',
        'g[...] = r * (p["W_hg"] @ old)',
        "B-07",
    ),
    _gru(
        "candidate's recurrent matrix transposed",
        "forward",
        'np.matmul(p["W_hg"], m,',
        'np.matmul(p["W_hg"].T, m,',
    ),
    _gru(
        "gates see the state two steps back",
        "forward",
        "np.matmul(recurrent, operands[t],",
        "np.matmul(recurrent, operands[max(t - 1, 0)],",
    ),
    _gru(
        "recurrent gate matrices swapped",
        "forward",
        'order = "rz" if',
        'order = "zr" if',
    ),
    _gru(
        "input gate matrices swapped",
        "forward",
        'np.multiply(p[f"W_x{gate}"], sign',
        'np.multiply(p["W_x" + {"r": "z", "z": "r", "g": "g"}[gate]], sign',
    ),
    _gru(
        "update gate with the reset gate's bias",
        "forward",
        'np.multiply(p[f"b_{gate}"], sign',
        'np.multiply(p["b_r" if gate == "z" else f"b_{gate}"], sign',
        "B-13",
    ),
    _gru(
        "candidate without bias",
        "forward",
        'np.multiply(p[f"b_{gate}"], sign',
        'np.multiply(p[f"b_{gate}"], sign * (gate != "g")',
    ),
    _gru(
        "candidate's bias outside tanh",
        "forward",
        "g += now[2]\n                    apply(g, g)",
        'g += now[2] - p["b_g"][:, None]\n                    apply(g, g)\n                    g += p["b_g"][:, None]',
        "003:852",
    ),
    _gru(
        "sigmoid candidate",
        "forward",
        "apply, _ = activation(self.candidate)",
        'apply, _ = activation("sigmoid")',
    ),
    _gru(
        "tanh candidate",
        "forward",
        "apply, _ = activation(self.candidate)",
        'apply, _ = activation("tanh")',
        spec=_SIGMA,
    ),
    _gru("initial state ignored", "forward", 'h[0] = accepted.states["h"].T', "h[0] = 0", "B-01"),
    _gru(
        "recurrent candidate bias dropped",
        "forward",
        'rows[0, :, d] = p["b_hg"]',
        "pass",
        spec=_AFTER,
    ),
    _gru(
        "reset gate unused after the product",
        "forward",
        "np.multiply(r, m, out=g)",
        "g[...] = m",
        spec=_AFTER,
    ),
    _gru(
        "recurrent candidate bias outside the reset",
        "forward",
        "np.multiply(r, m, out=g)",
        'g[...] = r * (m - p["b_hg"][:, None]) + p["b_hg"][:, None]',
        spec=_AFTER,
    ),
    _gru("candidate slope missing", "backward", "slope_to(g, dg)", "dg[...] = 1"),
    _gru(
        "candidate slope of the sigmoid",
        "backward",
        "_, slope_to = activation(self.candidate)",
        '_, slope_to = activation("sigmoid")',
    ),
    _gru(
        "keep and write swapped in the backward",
        "backward",
        "keep, write = (z, shut) if",
        "keep, write = (shut, z) if",
    ),
    _gru(
        "update gradient with the wrong sign",
        "backward",
        "np.subtract(old, g, out=dz)",
        "np.subtract(g, old, out=dz)",
        "B-16",
    ),
    _gru(
        "half of the update slope missing",
        "backward",
        "dz *= keep",
        "pass",
    ),
    _gru(
        "reset gradient lost",
        "backward",
        "dr *= q",
        "dr *= 0",
    ),
    _gru("reset gate missing on the way back", "backward", "q *= gates[step, 1]", "pass"),
    _gru("path through the keep gate lost", "backward", _CARRIED, "dh *= 0"),
    _gru("path through the candidate lost", "backward", _CANDIDATE, "pass"),
    _gru("path through the gates lost", "backward", _GATES, "pass"),
    _gru(
        "candidate matrix transposed in the backward",
        "backward",
        'to_m, to_state = p["W_hg"].T',
        'to_m, to_state = p["W_hg"]',
    ),
    _gru(
        "candidate gradient with the state not reset",
        "backward",
        "by_row(gates[span, 0])",
        "by_row(h[span])",
    ),
    _gru(
        "gradient of the second bias like the first's",
        "backward",
        'gradients["b_hg"] = total[0]',
        'gradients["b_hg"] = total[3]',
        spec=_AFTER,
    ),
    _gru(
        "reset gate missing in the product's gradient",
        "backward",
        "            np.multiply(dg, r, out=dm)\n            dr *= dm\n",
        "            dr *= dg * r\n            dm[...] = dg\n",
        spec=_AFTER,
    ),
    _gru(
        "recurrent gate gradients swapped",
        "backward",
        '{"W_hr": by_gates[-2], "W_hz": by_gates[-1]',
        '{"W_hr": by_gates[-1], "W_hz": by_gates[-2]',
    ),
    _gru(
        "reset gradient without the reset gate",
        "backward",
        "dr *= m\n        if",
        "dr *= old\n        if",
    ),
)
