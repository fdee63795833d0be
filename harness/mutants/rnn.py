"""Wrong simple networks, feed-forward layers, output layers and activations."""

from __future__ import annotations

from rnn_harness.mutants.mutant import Mutant
from rnn_harness.records.kill_matrix import Part

_S, _U = "rnn.sigma", "rnn.sigma.unbiased"


def _rnn(name: str, part: Part, old: str, new: str, published_bug: str = "", spec: str = _S) -> Mutant:
    return Mutant(f"rnn.{name}", spec, "rnn", part, old, new, published_bug)


_APPLY = "                apply(new, new)\n"
_RETURN = "        return Gradients((flat"

MUTANTS = (
    _rnn(
        "recurrent matrix transposed",
        "forward",
        'recurrent = np.ascontiguousarray(p["W_h"].T)',
        'recurrent = np.ascontiguousarray(p["W_h"])',
        spec=_U,
    ),
    _rnn("bias missing", "forward", 'a += p["b"]', "a += 0"),
    _rnn("bias doubled", "forward", 'a += p["b"]', 'a += 2 * p["b"]'),
    _rnn("bias subtracted", "forward", 'a += p["b"]', 'a -= p["b"]'),
    _rnn("initial state ignored", "forward", 'h[0] = accepted.states["h"]', "h[0] = 0", "B-01", spec=_U),
    _rnn("input one step late", "forward", "new += a[t]", "new += a[t - 1]", spec=_U),
    _rnn("input subtracted", "forward", "new += a[t]", "new -= a[t]", spec=_U),
    _rnn("batch leak", "forward", _APPLY, _APPLY + "                new[1:] += new[:-1] / 64\n", spec=_U),
    _rnn("first unit enlarged", "forward", _APPLY, _APPLY + "                new[:, 0] *= 1.01\n", spec=_U),
    _rnn(
        "wrong only at batch 1",
        "forward",
        _APPLY,
        _APPLY + "                new *= 1 if batch > 1 else 1.01\n",
        spec=_U,
    ),
    _rnn("wrong only where n is d", "forward", 'a += p["b"]', 'a += p["b"] * (1.01 if n == d else 1)'),
    _rnn(
        "inputs beyond 8 clipped",
        "forward",
        "        apply, _ =",
        "        x = np.clip(x, -8, 8)\n        apply, _ =",
        spec=_U,
    ),
    _rnn(
        "wrong only for exact zeros",
        "forward",
        "new += a[t]",
        "new += np.where((x[t] == 0).any(axis=1, keepdims=True), 0, a[t])",
        spec=_U,
    ),
    _rnn(
        "wrong only after the first step",
        "forward",
        _APPLY,
        _APPLY + "                new *= 1.01 if t else 1\n",
        spec=_U,
    ),
    _rnn(
        "wrong only from the fourth step on",
        "forward",
        _APPLY,
        _APPLY + "                new *= 1.01 if t > 2 else 1\n",
        spec=_U,
    ),
    _rnn("final state one step early", "forward", '{"h": h[-1].copy()}', '{"h": h[-2].copy()}', spec=_U),
    _rnn(
        "state not frozen past the length",
        "forward",
        "freeze_ended(alive, t, new, old)",
        "pass",
        "B-14",
        spec=_U,
    ),
    _rnn(
        "outputs past the length kept",
        "forward",
        "outputs = h[1:] if alive is None else np.where(alive[:, :, None], h[1:], 0)",
        "outputs = h[1:]",
        spec=_U,
    ),
    _rnn("first input counted twice", "forward", 'a += p["b"]', 'a += p["b"] + x[:, :, :1] / 64'),
    _rnn(
        "wrong only for strided inputs",
        "forward",
        "        apply, _ =",
        "        x = x if x.flags.c_contiguous else x * 1.01\n        apply, _ =",
        spec=_U,
    ),
    _rnn(
        "inputs overwritten",
        "forward",
        "            a = (x.reshape(",
        "            x *= 1.0625\n            a = (x.reshape(",
        "B-14",
        spec=_U,
    ),
    _rnn(
        "float32 inside",
        "forward",
        _APPLY,
        _APPLY + "                new[...] = new.astype(np.float32)\n",
        spec=_U,
    ),
    _rnn("recurrent gradient lost", "backward", "now *= dh", "now *= e[t]", spec=_U),
    _rnn("output gradient lost", "backward", "dh += e[t]", "dh += 0", spec=_U),
    _rnn("slope of the state before", "backward", "slope_to(h[1:][span], ", "slope_to(h[:-1][span], ", spec=_U),
    _rnn(
        "recurrent matrix transposed in the backward",
        "backward",
        'np.matmul(now, p["W_h"], out=dh)',
        'np.matmul(now, p["W_h"].T, out=dh)',
        "B-01",
        spec=_U,
    ),
    _rnn(
        "recurrent gradient with the state after",
        "backward",
        '"W_h": flat.T @ h[:-1]',
        '"W_h": flat.T @ h[1:]',
        spec=_U,
    ),
    _rnn(
        "bias gradient without the last step",
        "backward",
        "flat.sum(axis=0)",
        "delta[:-1].sum(axis=(0, 1))",
        "B-13",
    ),
    _rnn("bias gradient averaged", "backward", "flat.sum(axis=0)", "flat.mean(axis=0)"),
    _rnn(
        "one entry of one gradient off by 1 %",
        "backward",
        _RETURN,
        '        gradients["W_h"][0, 0] *= 1.01\n' + _RETURN,
        spec=_U,
    ),
    _rnn("input gradient off by 1 %", "backward", '(flat @ p["W_x"])', '(1.01 * flat @ p["W_x"])', spec=_U),
    _rnn(
        "final state's gradient ignored",
        "backward",
        'dh = last["h"]',
        'dh = np.zeros_like(last["h"])',
        spec=_U,
    ),
    _rnn("initial state's gradient masked", "backward", '{"h": dh}', '{"h": dh * 0}', spec=_U),
    _rnn("gradient flows past the length", "backward", "clear_ended(alive, t, now)", "pass", spec=_U),
    _rnn(
        "gradient truncated to two steps",
        "backward",
        "                now *= dh\n",
        "                now *= dh if t >= steps - 2 else 0\n",
        spec=_U,
    ),
    _rnn(
        "second backward differs",
        "backward",
        "        delta = np.empty_like(h[1:])\n",
        "        delta = np.empty_like(h[1:])\n        h[0] += 1\n",
        "B-14",
        spec=_U,
    ),
    Mutant(
        "feedforward.bias subtracted",
        "rnn.feedforward",
        "feedforward",
        "forward",
        '.T + p["b"]',
        '.T - p["b"]',
    ),
    Mutant(
        "feedforward.slope missing",
        "rnn.feedforward",
        "feedforward",
        "backward",
        "slope_to(s, delta)",
        "delta[...] = 1",
    ),
    Mutant("output layer.bias missing", _S, "output_layer", "forward", ' + parameters["b_y"]', ""),
    Mutant(
        "output layer.softmax as if entry by entry",
        _S,
        "output_layer",
        "backward",
        "delta = y * (d_y - (y * d_y).sum(axis=-1, keepdims=True))",
        "delta = y * d_y * (1 - y)",
    ),
    Mutant(
        "sigmoid.offset by one thousandth",
        _U,
        "activations",
        "forward",
        "out += scalar_one(out.dtype)",
        "out += 1 + 2.0**-10",
    ),
    Mutant(
        "sigmoid.slope with the wrong sign",
        _U,
        "activations",
        "backward",
        "np.subtract(1, s, out=out)",
        "np.add(1, s, out=out)",
    ),
    Mutant("tanh.hard", "lstm.column", "activations", "forward", "np.tanh(x, out=out)", "np.clip(x, -1, 1, out=out)"),
    Mutant(
        "tanh.half precision",
        "gru.keep.column",
        "activations",
        "forward",
        "np.tanh(x, out=out)",
        "out[...] = np.tanh(x).astype(np.float16)",
        "B-04",
    ),
)
