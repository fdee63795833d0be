"""Wrong long short-term memories."""

from __future__ import annotations

from rnn_harness.mutants._mutant import Mutant

_LSTM, _SIGMA, _NOFORGET, _PEEPHOLE = "lstm.column", "lstm.sigma", "lstm.noforget", "lstm.peephole"


def _lstm(name: str, part: str, old: str, new: str, like: str = "", spec: str = _LSTM) -> Mutant:
    return Mutant(f"lstm.{name}", spec, "lstm", part, old, new, like)


_FORGET = "c[t + 1] += c[t] if f is None else f * c[t]"
_BIASES = 'np.stack([p[f"b_{gate}"] for gate in self.gates])'

MUTANTS = (
    _lstm("forget gate unused", "forward", _FORGET, "c[t + 1] += c[t]"),
    _lstm("forget gate tied to the input gate", "forward", _FORGET, "c[t + 1] += (1 - i) * c[t]"),
    _lstm("input gate forgets", "forward", _FORGET, "c[t + 1] += i * c[t]"),
    _lstm("forget gate where there is none", "forward", _FORGET, "c[t + 1] += i * c[t]", spec=_NOFORGET),
    _lstm(
        "input and candidate added",
        "forward",
        "np.multiply(i, g, out=c[t + 1])",
        "np.add(i, g, out=c[t + 1])",
        "B-12",
    ),
    _lstm(
        "candidate gated by the output gate",
        "forward",
        "np.multiply(i, g, out=c[t + 1])",
        "np.multiply(np.tanh(o), g, out=c[t + 1])",
    ),
    _lstm(
        "output from the old cell state",
        "forward",
        "apply_output(c[t + 1], q[t])",
        "apply_output(c[t], q[t])",
        "003:634",
    ),
    _lstm(
        "output without tanh",
        "forward",
        "np.multiply(o, q[t], out=h[t + 1])",
        "np.multiply(o, c[t + 1], out=h[t + 1])",
    ),
    _lstm("output gate unused", "forward", "np.multiply(o, q[t], out=h[t + 1])", "h[t + 1] = q[t]"),
    _lstm(
        "sigmoid on the cell state",
        "forward",
        "apply_output, _ = activation(self.output)",
        'apply_output, _ = activation("sigmoid")',
    ),
    _lstm(
        "sigmoid candidate",
        "forward",
        "apply_candidate, _ = activation(self.candidate)",
        'apply_candidate, _ = activation("sigmoid")',
    ),
    _lstm(
        "tanh candidate",
        "forward",
        "apply_candidate, _ = activation(self.candidate)",
        'apply_candidate, _ = activation("tanh")',
        spec=_SIGMA,
    ),
    _lstm(
        "initial states swapped",
        "forward",
        'given.states["h"], given.states["c"]',
        'given.states["c"], given.states["h"]',
    ),
    _lstm(
        "initial cell state ignored",
        "forward",
        'given.states["h"], given.states["c"]',
        'given.states["h"], 0',
        "B-01",
    ),
    _lstm(
        "forget bias of one added",
        "forward",
        _BIASES,
        'np.stack([p[f"b_{gate}"] + (gate == "f") for gate in self.gates])',
    ),
    _lstm(
        "all gates with the output gate's bias",
        "forward",
        _BIASES,
        'np.stack([p["b_o"] for gate in self.gates])',
        "B-13",
    ),
    _lstm(
        "recurrence through the cell state",
        "forward",
        "now += h[t] @ recurrent_weights",
        "now += c[t] @ recurrent_weights",
    ),
    _lstm(
        "recurrent matrices transposed",
        "forward",
        'recurrent_weights = np.stack([p[f"W_h{gate}"].T for gate in self.gates])',
        'recurrent_weights = np.stack([p[f"W_h{gate}"] for gate in self.gates])',
    ),
    _lstm("cell state not frozen past the length", "forward", "freeze(alive, t, c[t + 1], c[t])", "pass", "B-14"),
    _lstm(
        "final states swapped",
        "forward",
        '{"h": h[-1].copy(), "c": c[-1].copy()}',
        '{"h": c[-1].copy(), "c": h[-1].copy()}',
        "B-05",
    ),
    _lstm(
        "output peephole at the old cell state",
        "forward",
        'self._peek(p["W_co"], c[t + 1])',
        'self._peek(p["W_co"], c[t])',
        "003:817",
        spec=_PEEPHOLE,
    ),
    _lstm(
        "output peephole after the sigmoid",
        "forward",
        'o += self._peek(p["W_co"], c[t + 1])\n                    sigmoid_to(o, o)',
        'sigmoid_to(o, o)\n                    o += self._peek(p["W_co"], c[t + 1])',
        "B-11",
        spec=_PEEPHOLE,
    ),
    _lstm("forget gate unused beside peepholes", "forward", _FORGET, "c[t + 1] += c[t]", spec=_PEEPHOLE),
    _lstm("peepholes transposed", "forward", "c @ weight.T", "c @ weight", spec=_PEEPHOLE),
    _lstm("only the diagonal of the peepholes", "forward", "c @ weight.T", "c * np.diag(weight)", spec=_PEEPHOLE),
    _lstm(
        "input gate with the forget gate's peephole",
        "forward",
        'i += self._peek(p["W_ci"], c[t])',
        'i += self._peek(p["W_cf"], c[t])',
        spec=_PEEPHOLE,
    ),
    _lstm("output slope missing", "backward", "into_cell = o * output_slope(q)", "into_cell = o"),
    _lstm("cell gradient not carried", "backward", "dc = dc + dh * into_cell[t]", "dc = dh * into_cell[t]"),
    _lstm("forget gate missing on the way back", "backward", "dc = dc * f[t]", "dc = dc * 1"),
    _lstm(
        "candidate's recurrent path lost",
        "backward",
        "dh = (now @ recurrent_weights).sum(axis=0)",
        "dh = (now[:-1] @ recurrent_weights[:-1]).sum(axis=0)",
    ),
    _lstm(
        "input slope missing",
        "backward",
        "delta[:, :-1] *= gates[:, :-1]",
        "delta[:, 1:-1] *= gates[:, 1:-1]; delta[:, 0] = 1",
    ),
    _lstm(
        "forget gradient with the cell state after",
        "backward",
        "delta[:, 1] *= c[:-1]",
        "delta[:, 1] *= c[1:]",
    ),
    _lstm(
        "output gradient from the raw cell state",
        "backward",
        "delta[:, -2] *= q",
        "delta[:, -2] *= c[1:]",
        "B-16",
    ),
    _lstm(
        "candidate slope missing",
        "backward",
        "np.multiply(i, candidate_slope(g), out=delta[:, -1])",
        "delta[:, -1] = i",
    ),
    _lstm(
        "final cell state's gradient ignored",
        "backward",
        'dh, dc = last["h"], last["c"]',
        'dh, dc = last["h"], 0 * last["c"]',
    ),
    _lstm(
        "recurrent gradient with the state after",
        "backward",
        "@ h[:-1].reshape",
        "@ h[1:].reshape",
    ),
    _lstm(
        "forget gate's recurrent gradient off by 1 %",
        "backward",
        "= d_recurrent[index]",
        '= d_recurrent[index] * (1.01 if gate == "f" else 1)',
    ),
    _lstm(
        "bias gradient of the first row alone",
        "backward",
        "flat[index].sum(axis=0)",
        "delta[:, index, 0].sum(axis=0)",
    ),
    _lstm(
        "output peephole lost in the backward",
        "backward",
        'dc += self._peek_back(p["W_co"], now[-2])',
        "dc += 0",
        "B-10",
        spec=_PEEPHOLE,
    ),
    _lstm(
        "input peephole lost in the backward",
        "backward",
        'dc = dc + self._peek_back(p["W_ci"], now[0])',
        "dc = dc + 0",
        "B-10",
        spec=_PEEPHOLE,
    ),
    _lstm(
        "output peephole's gradient with the old cell state",
        "backward",
        'c[1:] if gate == "o" else c[:-1]',
        "c[:-1]",
        spec=_PEEPHOLE,
    ),
)
