"""Wrong simple networks, feed-forward layers, output layers and activations."""

from __future__ import annotations

from rnn_harness.mutants._mutant import Mutant

_S, _U = "rnn.sigma", "rnn.sigma.unbiased"


def _rnn(name: str, part: str, old: str, new: str, like: str = "", spec: str = _S) -> Mutant:
    return Mutant(f"rnn.{name}", spec, "rnn", part, old, new, like)


_APPLY = "            apply(h[t + 1])\n"
_RETURN = "        return Gradients((flat"

MUTANTS = (
    _rnn("recurrent matrix transposed", "forward", 'p["W_h"].T, out=', 'p["W_h"], out=', spec=_U),
    _rnn("bias missing", "forward", 'a += p["b"]', "a += 0"),
    _rnn("bias doubled", "forward", 'a += p["b"]', 'a += 2 * p["b"]'),
    _rnn("bias subtracted", "forward", 'a += p["b"]', 'a -= p["b"]'),
    _rnn("initial state ignored", "forward", 'h[0] = given.states["h"]', "h[0] = 0", "B-01", spec=_U),
    _rnn("input one step late", "forward", "h[t + 1] += a[t]", "h[t + 1] += a[t - 1]", spec=_U),
    _rnn("input subtracted", "forward", "h[t + 1] += a[t]", "h[t + 1] -= a[t]", spec=_U),
    _rnn("batch leak", "forward", _APPLY, _APPLY + "            h[t + 1, 1:] += h[t + 1, :-1] / 64\n", spec=_U),
    _rnn(
        "wrong only at batch 1",
        "forward",
        _APPLY,
        _APPLY + "            h[t + 1] *= 1 if batch > 1 else 1.01\n",
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
        "h[t + 1] += a[t]",
        "h[t + 1] += np.where((x[t] == 0).any(axis=1, keepdims=True), 0, a[t])",
        spec=_U,
    ),
    _rnn(
        "wrong only after the first step",
        "forward",
        _APPLY,
        _APPLY + "            h[t + 1] *= 1.01 if t else 1\n",
        spec=_U,
    ),
    _rnn(
        "wrong only from the fourth step on",
        "forward",
        _APPLY,
        _APPLY + "            h[t + 1] *= 1.01 if t > 3 else 1\n",
        spec=_U,
    ),
    _rnn("final state one step early", "forward", '{"h": h[-1].copy()}', '{"h": h[-2].copy()}', spec=_U),
    _rnn(
        "state not frozen past the length",
        "forward",
        "freeze(alive, t, h[t + 1], h[t])",
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
    _rnn(
        "inputs overwritten",
        "forward",
        "        a = (x.reshape(",
        "        x *= 1.0625\n        a = (x.reshape(",
        "B-14",
        spec=_U,
    ),
    _rnn(
        "float32 inside",
        "forward",
        _APPLY,
        _APPLY + "            h[t + 1] = h[t + 1].astype(np.float32)\n",
        spec=_U,
    ),
    _rnn("recurrent gradient lost", "backward", "delta[t] *= e[t] + dh", "delta[t] *= e[t]", spec=_U),
    _rnn("output gradient lost", "backward", "delta[t] *= e[t] + dh", "delta[t] *= dh", spec=_U),
    _rnn("slope of the state before", "backward", "delta = slope(h[1:])", "delta = slope(h[:-1])", spec=_U),
    _rnn(
        "recurrent matrix transposed in the backward",
        "backward",
        'delta[t] @ p["W_h"]',
        'delta[t] @ p["W_h"].T',
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
    _rnn("gradient flows past the length", "backward", "clear(alive, t, delta[t])", "pass", spec=_U),
    _rnn(
        "gradient truncated to two steps",
        "backward",
        "        for t in reversed(range(steps)):",
        "        for t in reversed(range(max(0, steps - 2), steps)):",
        spec=_U,
    ),
    _rnn(
        "second backward differs",
        "backward",
        "        delta = slope(h[1:])",
        "        delta = slope(h[1:])\n        h[0] += 1",
        "B-14",
        spec=_U,
    ),
    Mutant(
        "feedforward.bias subtracted",
        "rnn.feedforward",
        "feedforward",
        "forward",
        '.T + p["b"])',
        '.T - p["b"])',
    ),
    Mutant(
        "feedforward.slope missing",
        "rnn.feedforward",
        "feedforward",
        "backward",
        "delta = e * slope(s)",
        "delta = e",
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
        "    x += 1\n",
        "    x += 1 + 2.0**-10\n",
    ),
    Mutant(
        "sigmoid.slope with the wrong sign",
        _U,
        "activations",
        "backward",
        "slope: Array = s * (1 - s)",
        "slope: Array = s * (1 + s)",
    ),
    Mutant("tanh.hard", "lstm.column", "activations", "forward", "np.tanh(x, out=x)", "np.clip(x, -1, 1, out=x)"),
    Mutant(
        "tanh.half precision",
        "gru.keep.column",
        "activations",
        "forward",
        "np.tanh(x, out=x)",
        "x[...] = np.tanh(x).astype(np.float16)",
        "B-04",
    ),
)
