"""Wrong gated recurrent units."""

from __future__ import annotations

from rnn_harness.mutants._mutant import Mutant

_KEEP, _WRITE, _AFTER, _SIGMA = "gru.keep.column", "gru.write.concatenated", "gru.reset_after", "gru.sigma"


def _gru(name: str, part: str, old: str, new: str, like: str = "", spec: str = _KEEP) -> Mutant:
    return Mutant(f"gru.{name}", spec, "gru", part, old, new, like)


_MIX_KEEP = "            np.multiply(z, h, out=out)\n            out += (1 - z) * g\n"
_MIX_WRITE = "            np.multiply(z, g, out=out)\n            out += (1 - z) * h\n"
_DH = "dh = dh * keep[t] + through + (delta[t, :2] @ gate_weights).sum(axis=0)"

MUTANTS = (
    _gru("update gate swapped", "forward", _MIX_KEEP, _MIX_WRITE),
    _gru("update gate swapped the other way", "forward", _MIX_WRITE, _MIX_KEEP, spec=_WRITE),
    _gru("candidate weighted with the keep gate", "forward", "out += (1 - z) * g", "out += z * g"),
    _gru("candidate added whole", "forward", "out += (1 - z) * g", "out += g"),
    _gru("reset gate unused", "forward", "np.multiply(r, h[t], out=reset_state[t])", "reset_state[t] = h[t]"),
    _gru(
        "update gate resets",
        "forward",
        "np.multiply(r, h[t], out=reset_state[t])",
        "np.multiply(z, h[t], out=reset_state[t])",
    ),
    _gru(
        "reset after instead of before",
        "forward",
        'g += reset_state[t] @ p["W_hg"].T',
        'g += r * (h[t] @ p["W_hg"].T)',
        "B-07",
    ),
    _gru(
        "candidate's recurrent matrix transposed",
        "forward",
        'reset_state[t] @ p["W_hg"].T',
        'reset_state[t] @ p["W_hg"]',
    ),
    _gru(
        "gates see the state two steps back",
        "forward",
        "gates[t, :2] += h[t] @ gate_weights",
        "gates[t, :2] += h[max(t - 1, 0)] @ gate_weights",
    ),
    _gru(
        "recurrent gate matrices swapped",
        "forward",
        'np.stack([p["W_hr"].T, p["W_hz"].T])',
        'np.stack([p["W_hz"].T, p["W_hr"].T])',
    ),
    _gru(
        "input gate matrices swapped",
        "forward",
        'for gate in "rzg"])\n        gates',
        'for gate in "zrg"])\n        gates',
    ),
    _gru(
        "update gate with the reset gate's bias",
        "forward",
        '[p["b_r"], p["b_z"], p["b_g"]]',
        '[p["b_r"], p["b_r"], p["b_g"]]',
        "B-13",
    ),
    _gru(
        "candidate without bias",
        "forward",
        '[p["b_r"], p["b_z"], p["b_g"]]',
        '[p["b_r"], p["b_z"], 0 * p["b_g"]]',
    ),
    _gru(
        "candidate's bias outside tanh",
        "forward",
        'g += reset_state[t] @ p["W_hg"].T\n            apply(g, g)',
        'g += reset_state[t] @ p["W_hg"].T - p["b_g"]\n            apply(g, g)\n            g += p["b_g"]',
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
    _gru("initial state ignored", "forward", 'h[0] = given.states["h"]', "h[0] = 0", "B-01"),
    _gru(
        "recurrent candidate bias dropped",
        "forward",
        'product[t] += p["b_hg"]',
        "product[t] += 0",
        spec=_AFTER,
    ),
    _gru(
        "reset gate unused after the product",
        "forward",
        "g += r * product[t]",
        "g += product[t]",
        spec=_AFTER,
    ),
    _gru(
        "recurrent candidate bias outside the reset",
        "forward",
        "g += r * product[t]",
        'g += r * (product[t] - p["b_hg"]) + p["b_hg"]',
        spec=_AFTER,
    ),
    _gru("candidate slope missing", "backward", "= write * slope(g)", "= write"),
    _gru(
        "candidate slope of the sigmoid",
        "backward",
        "_, slope = activation(self.candidate)",
        '_, slope = activation("sigmoid")',
    ),
    _gru(
        "keep and write swapped in the backward",
        "backward",
        "(z, 1 - z) if self.update",
        "(1 - z, z) if self.update",
    ),
    _gru(
        "update gradient with the wrong sign",
        "backward",
        'difference = h[:-1] - g if self.update == "keep"',
        'difference = g - h[:-1] if self.update == "keep"',
        "B-16",
    ),
    _gru("update slope missing", "backward", "difference * sigmoid_slope(z)", "difference"),
    _gru(
        "reset gradient lost",
        "backward",
        "dr *= q",
        "dr *= 0",
    ),
    _gru("reset gate missing on the way back", "backward", "through = q * r[t]", "through = q"),
    _gru("path through the keep gate lost", "backward", _DH, _DH.replace("dh * keep[t] + ", "")),
    _gru("path through the candidate lost", "backward", _DH, _DH.replace("through + ", "")),
    _gru("path through the gates lost", "backward", _DH, "dh = dh * keep[t] + through"),
    _gru(
        "candidate matrix transposed in the backward",
        "backward",
        'q = dg @ p["W_hg"]',
        'q = dg @ p["W_hg"].T',
    ),
    _gru(
        "candidate gradient with the state not reset",
        "backward",
        "flat[2].T @ recurrent.reshape(steps * batch, d)",
        "flat[2].T @ h_before",
    ),
    _gru(
        "gradient of the second bias like the first's",
        "backward",
        "delta_m.sum(axis=(0, 1))",
        "total[2]",
        spec=_AFTER,
    ),
    _gru(
        "reset gate missing in the product's gradient",
        "backward",
        "np.multiply(dg, r[t], out=delta_m[t])",
        "delta_m[t] = dg",
        spec=_AFTER,
    ),
    _gru(
        "recurrent gate gradients swapped",
        "backward",
        '{"W_hr": d_gates[0], "W_hz": d_gates[1]',
        '{"W_hr": d_gates[1], "W_hz": d_gates[0]',
    ),
    _gru(
        "reset gradient with the state after",
        "backward",
        "(h[:-1] if before else recurrent)",
        "(h[1:] if before else recurrent)",
    ),
)
