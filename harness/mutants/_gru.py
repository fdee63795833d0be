"""Wrong gated recurrent units."""

from __future__ import annotations

from rnn_harness.mutants._mutant import Mutant

_KEEP, _WRITE, _AFTER, _SIGMA = "gru.keep.column", "gru.write.concatenated", "gru.reset_after", "gru.sigma"


def _gru(name: str, part: str, old: str, new: str, like: str = "", spec: str = _KEEP) -> Mutant:
    return Mutant(f"gru.{name}", spec, "gru", part, old, new, like)


_MIX_KEEP = "            np.multiply(z, h, out=out)\n            rest *= g\n"
_MIX_WRITE = "            np.multiply(z, g, out=out)\n            rest *= h\n"
_DH = "            dh *= kept[t]\n            dh += q\n            dh += through\n"

MUTANTS = (
    _gru("update gate swapped", "forward", _MIX_KEEP, _MIX_WRITE),
    _gru("update gate swapped the other way", "forward", _MIX_WRITE, _MIX_KEEP, spec=_WRITE),
    _gru("candidate weighted with the keep gate", "forward", "rest *= g", "np.multiply(z, g, out=rest)"),
    _gru("candidate added whole", "forward", "rest *= g", "rest[...] = g"),
    _gru("reset gate unused", "forward", "np.multiply(r, old, out=kept)", "kept[...] = old"),
    _gru(
        "update gate resets",
        "forward",
        "np.multiply(r, old, out=kept)",
        "np.multiply(z, old, out=kept)",
    ),
    _gru(
        "reset after instead of before",
        "forward",
        'g += np.matmul(p["W_hg"], kept, out=scratch)',
        'g += r * (p["W_hg"] @ old)',
        "B-07",
    ),
    _gru(
        "candidate's recurrent matrix transposed",
        "forward",
        'np.matmul(p["W_hg"], kept',
        'np.matmul(p["W_hg"].T, kept',
    ),
    _gru(
        "gates see the state two steps back",
        "forward",
        "np.matmul(gate_weights, old, out=flat)",
        "np.matmul(gate_weights, h[max(t - 1, 0)], out=flat)",
    ),
    _gru(
        "recurrent gate matrices swapped",
        "forward",
        'np.concatenate([p["W_hr"], p["W_hz"]])\n        product',
        'np.concatenate([p["W_hz"], p["W_hr"]])\n        product',
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
        "kept, out=scratch)\n            apply(g, g)",
        'kept, out=scratch) - p["b_g"][:, None]\n            apply(g, g)\n            g += p["b_g"][:, None]',
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
    _gru("initial state ignored", "forward", 'h[0] = given.states["h"].T', "h[0] = 0", "B-01"),
    _gru(
        "recurrent candidate bias dropped",
        "forward",
        "np.add(product[2], second, out=m[t])",
        "m[t] = product[2]",
        spec=_AFTER,
    ),
    _gru(
        "reset gate unused after the product",
        "forward",
        "np.multiply(r, m[t], out=scratch)",
        "m[t]",
        spec=_AFTER,
    ),
    _gru(
        "recurrent candidate bias outside the reset",
        "forward",
        "np.multiply(r, m[t], out=scratch)",
        "r * (m[t] - second) + second",
        spec=_AFTER,
    ),
    _gru("candidate slope missing", "backward", "np.multiply(write, slope(g), out=dg)", "dg[...] = write"),
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
    _gru(
        "update slope missing",
        "backward",
        "        np.multiply(difference, z, out=dz)\n        dz *= 1 - z\n",
        "        dz[...] = difference\n",
    ),
    _gru(
        "reset gradient lost",
        "backward",
        "dr *= q",
        "dr *= 0",
    ),
    _gru("reset gate missing on the way back", "backward", "q *= r[t]", "pass"),
    _gru("path through the keep gate lost", "backward", _DH, _DH.replace("dh *= kept[t]", "dh *= 0")),
    _gru("path through the candidate lost", "backward", _DH, _DH.replace("dh += q", "pass")),
    _gru("path through the gates lost", "backward", _DH, _DH.replace("dh += through", "pass")),
    _gru(
        "candidate matrix transposed in the backward",
        "backward",
        'to_candidate, to_gates = np.ascontiguousarray(p["W_hg"].T)',
        'to_candidate, to_gates = np.ascontiguousarray(p["W_hg"])',
    ),
    _gru(
        "candidate gradient with the state not reset",
        "backward",
        "flat[2 * d :] @ by_row(recurrent)",
        "flat[2 * d :] @ h_before",
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
        "np.multiply(dg, r, out=dm)",
        "dm[...] = dg",
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
        "dr *= h[:-1] if before else recurrent",
        "dr *= h[1:] if before else recurrent",
    ),
)
