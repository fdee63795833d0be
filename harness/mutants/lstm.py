"""Wrong long short-term memories."""

from __future__ import annotations

from rnn_harness.mutants.mutant import Mutant
from rnn_harness.records.kill_matrix import Part

_LSTM, _SIGMA, _NOFORGET, _PEEPHOLE = "lstm.column", "lstm.sigma", "lstm.noforget", "lstm.peephole"


def _lstm(name: str, part: Part, old: str, new: str, published_bug: str = "", spec: str = _LSTM) -> Mutant:
    return Mutant(f"lstm.{name}", spec, "lstm", part, old, new, published_bug)


_FORGET = "new += np.multiply(f, old, out=carried) if self.forget else old"
_OPENED = "sigmoid_of_minus_to(opened, opened)"
_BIAS = 'np.multiply(p[f"b_{gate}"], sign'

MUTANTS = (
    _lstm("forget gate unused", "forward", _FORGET, "new += old"),
    _lstm("forget gate tied to the input gate", "forward", _FORGET, "new += (1 - i) * old"),
    _lstm("forget gate pinned open", "forward", _OPENED, f"{_OPENED}; f[...] = 1"),
    _lstm("input gate pinned open", "forward", _OPENED, f"{_OPENED}; i[...] = 1"),
    _lstm("output gate pinned shut", "forward", _OPENED, f"{_OPENED}; o[...] = 0"),
    _lstm("input gate forgets", "forward", _FORGET, "new += i * old"),
    _lstm("forget gate where there is none", "forward", _FORGET, "new += i * old", spec=_NOFORGET),
    _lstm(
        "input and candidate added",
        "forward",
        "np.multiply(i, g, out=new)",
        "np.add(i, g, out=new)",
        "B-12",
    ),
    _lstm(
        "candidate gated by the output gate",
        "forward",
        "np.multiply(i, g, out=new)",
        "np.multiply(o, g, out=new)",
    ),
    _lstm(
        "output from the old cell state",
        "forward",
        "apply_output(new, squashed)",
        "apply_output(old, squashed)",
        "003:634",
    ),
    _lstm(
        "output without tanh",
        "forward",
        "np.multiply(o, squashed, out=out)",
        "np.multiply(o, new, out=out)",
    ),
    _lstm("output gate unused", "forward", "np.multiply(o, squashed, out=out)", "out[...] = squashed"),
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
        'accepted.states["h"].T, accepted.states["c"].T',
        'accepted.states["c"].T, accepted.states["h"].T',
    ),
    _lstm(
        "initial cell state ignored",
        "forward",
        'accepted.states["h"].T, accepted.states["c"].T',
        'accepted.states["h"].T, 0',
        "B-01",
    ),
    _lstm(
        "forget bias of one added",
        "forward",
        _BIAS,
        'np.multiply(p[f"b_{gate}"] + (gate == "f"), sign',
    ),
    _lstm(
        "all gates with the output gate's bias",
        "forward",
        _BIAS,
        'np.multiply(p["b_o"], sign',
        "B-13",
    ),
    _lstm(
        "recurrence through the cell state",
        "forward",
        "np.matmul(weights, operands[t], out=now)",
        "np.matmul(weights, np.concatenate([old, operands[t, d:]]), out=now)",
    ),
    _lstm(
        "recurrent matrices transposed",
        "forward",
        'np.multiply(p[f"W_h{gate}"], sign',
        'np.multiply(p[f"W_h{gate}"].T, sign',
    ),
    _lstm("cell state not frozen past the length", "forward", "freeze_ended(alive, t, new.T, old.T)", "pass", "B-14"),
    _lstm(
        "final states swapped",
        "forward",
        '{"h": h[-1].T.copy(), "c": c[-1].T.copy()}',
        '{"h": c[-1].T.copy(), "c": h[-1].T.copy()}',
        "B-05",
    ),
    _lstm(
        "output peephole at the old cell state",
        "forward",
        'self._peek(p["W_co"], new)',
        'self._peek(p["W_co"], old)',
        "003:817",
        spec=_PEEPHOLE,
    ),
    _lstm(
        "output peephole after the sigmoid",
        "forward",
        'o -= self._peek(p["W_co"], new)\n                    sigmoid_of_minus_to(o, o)',
        'sigmoid_of_minus_to(o, o)\n                    o += self._peek(p["W_co"], new)',
        "B-11",
        spec=_PEEPHOLE,
    ),
    _lstm("forget gate unused with peepholes", "forward", _FORGET, "new += old", spec=_PEEPHOLE),
    _lstm("peepholes transposed", "forward", "weight @ c", "weight.T @ c", spec=_PEEPHOLE),
    _lstm(
        "only the diagonal of the peepholes", "forward", "weight @ c", "np.diag(weight)[:, None] * c", spec=_PEEPHOLE
    ),
    _lstm(
        "input gate with the forget gate's peephole",
        "forward",
        'i -= self._peek(p["W_ci"], old)',
        'i -= self._peek(p["W_cf"], old)',
        spec=_PEEPHOLE,
    ),
    _lstm("output slope missing", "backward", "output_slope_to(q, into_cell)", "into_cell[...] = 1"),
    _lstm(
        "cell gradient not carried",
        "backward",
        "dc += np.multiply(dh, into, out=through)",
        "np.multiply(dh, into, out=dc)",
    ),
    _lstm("forget gate missing on the way back", "backward", "dc *= f", "dc *= 1"),
    _lstm(
        "candidate's recurrent path lost",
        "backward",
        "np.matmul(to_state, column, out=dh)",
        "np.matmul(to_state[:, :-d], column[:-d], out=dh)",
    ),
    _lstm(
        "input slope missing",
        "backward",
        "di *= g",
        "di[...] = g",
    ),
    _lstm(
        "forget gradient with the cell state after",
        "backward",
        "self._slopes(gates[span], c[span],",
        "self._slopes(gates[span], c[1:][span],",
    ),
    _lstm(
        "output gradient from the raw cell state",
        "backward",
        "self._slopes(gates[span], c[span], q[span], delta, into_cell)",
        "self._slopes(gates[span], c[span], q[span], delta, into_cell)\n"
        "            sigmoid_slope_to(gates[span, 0], delta[:, 0])\n"
        "            np.multiply(delta[:, 0], c[1:][span], out=delta[:, 0])",
        "B-16",
    ),
    _lstm(
        "candidate slope missing",
        "backward",
        "candidate_slope_to(g, dg)",
        "dg[...] = 1",
    ),
    _lstm(
        "final cell state's gradient ignored",
        "backward",
        'np.ascontiguousarray(last["c"].T)',
        '0 * np.ascontiguousarray(last["c"].T)',
    ),
    _lstm(
        "recurrent gradient with the state after",
        "backward",
        "by_row(operands[span])",
        "by_row(np.concatenate([operands[1:, :d], operands[:-1, d:]], axis=1)[span])",
    ),
    _lstm(
        "forget gate's recurrent gradient off by 1 %",
        "backward",
        "= rows[:, :d], ",
        '= rows[:, :d] * (1.01 if gate == "f" else 1), ',
    ),
    _lstm(
        "bias gradient of the first row alone",
        "backward",
        'gradients[f"b_{gate}"] = rows[:, -1]',
        'gradients[f"b_{gate}"] = room[:steps, self.gates.index(gate), :, 0].sum(axis=0)',
    ),
    _lstm(
        "output peephole lost in the backward",
        "backward",
        'dc += self._peek_back(p["W_co"], do)',
        "dc += 0",
        "B-10",
        spec=_PEEPHOLE,
    ),
    _lstm(
        "input peephole lost in the backward",
        "backward",
        'dc += self._peek_back(p["W_ci"], cell_deltas[0])',
        "dc += 0",
        "B-10",
        spec=_PEEPHOLE,
    ),
    _lstm(
        "output peephole's gradient with the old cell state",
        "backward",
        'c[1:][span] if name == "W_co" else c[span]',
        "c[span]",
        spec=_PEEPHOLE,
    ),
)
