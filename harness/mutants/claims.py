"""References that make a claim of the documents false: each claim names the one that must refute its evidence."""

from __future__ import annotations

from rnn_harness.mutants.mutant import Mutant

_OPENED = "sigmoid_of_minus_to(opened, opened)"
_MIX_KEEP = "            np.multiply(z, h, out=out)\n            complement *= g\n"
_MIX_WRITE = "            np.multiply(z, g, out=out)\n            complement *= h\n"
_KEEP, _CONCATENATED, _ROWS = "gru.keep.column", "gru.write.concatenated", "gru.write.004"
_APPLY_RNN, _CARRY = "apply(new, new)", "np.matmul(old, recurrent, out=new)"
_FORGET = "np.multiply(f, old, out=carried) if self.forget else old"


def _gru(name: str, old: str, new: str, spec: str = _KEEP) -> Mutant:
    return Mutant(f"gru.{name}", spec, "gru", "forward", old, new)


def _lstm(name: str, old: str, new: str, spec: str = "lstm.column") -> Mutant:
    return Mutant(f"lstm.{name}", spec, "lstm", "forward", old, new)


def _rnn(name: str, old: str, new: str, spec: str = "rnn.sigma") -> Mutant:
    return Mutant(f"rnn.{name}", spec, "rnn", "forward", old, new)


def _stack(name: str, spec: str) -> Mutant:
    return Mutant(f"stacked.{name}", spec, "stacked", "forward", "inputs = run.outputs", "inputs = abs(run.outputs)")


MUTANTS = (
    _gru("gates up to one and a half", _OPENED, f"{_OPENED}; opened *= 1.5"),
    _gru("gates are 0 or 1", _OPENED, f"{_OPENED}; opened[...] = opened > 0.5"),
    _gru("linear candidate", "apply(g, g)", "pass"),
    _gru("state reads the next input", "enumerate(from_input,", "enumerate([*from_input[1:], from_input[-1]],"),
    _gru("update gate folded", _OPENED, f"{_OPENED}; z[...] = 4 * z * (1 - z)"),
    _gru("half of the past stays", "complement *= g", "complement *= (g + h) / 2"),
    _gru("writes ones", "complement *= g", "complement *= 1"),
    _gru("forget gate of its own", _MIX_KEEP, _MIX_KEEP.replace("np.multiply(z, h,", "np.multiply(np.sqrt(z), h,")),
    _gru("writes without erasing", _MIX_KEEP, _MIX_KEEP.replace("np.multiply(z, h, out=out)", "out[...] = h")),
    _gru(
        "gates see the squashed state",
        "np.matmul(recurrent, operands[t],",
        "np.matmul(recurrent, np.tanh(operands[t]),",
        "gru.sigma",
    ),
    _gru(
        "reset gate without the input",
        'np.multiply(p[f"W_x{gate}"], sign',
        'np.multiply(p[f"W_x{gate}"], sign * (gate != "r")',
        _CONCATENATED,
    ),
    _gru("reset gate changes nothing", "np.multiply(r, old, out=m)", "m[...] = old", _CONCATENATED),
    _gru(
        "update gate changes nothing",
        _MIX_WRITE,
        "            out[...] = g\n            complement *= 0\n",
        _CONCATENATED,
    ),
    _gru("half of the past stays in 004", _MIX_WRITE, _MIX_WRITE.replace("(z, g,", "(z, (g + h) / 2,"), _ROWS),
    _gru("update gate keeps in 004", _MIX_WRITE, _MIX_KEEP, _ROWS),
    _gru("outputs are twice the state", "outputs = shown if alive", "outputs = 2 * shown if alive"),
    _lstm("gates up to one and a half", _OPENED, f"{_OPENED}; opened *= 1.5"),
    _lstm("gates are 0 or 1", _OPENED, f"{_OPENED}; opened[...] = opened > 0.5"),
    _lstm("state reads the next input", "= x.transpose(0, 2, 1)", "= x[[*range(1, steps), -1]].transpose(0, 2, 1)"),
    _lstm("sigmoid gates up to one and a half", _OPENED, f"{_OPENED}; opened *= 1.5", "lstm.sigma"),
    _lstm("forget gate the other way round", _FORGET, _FORGET.replace("(f, old,", "(1 - f, old,")),
    _lstm("linear candidate", "apply_candidate(g, g)", "pass"),
    _lstm("input gate the other way round", "np.multiply(i, g, out=new)", "np.multiply(1 - i, g, out=new)"),
    _lstm("input gate unused", "np.multiply(i, g, out=new)", "new[...] = g"),
    _lstm("outputs are twice the state", "outputs = shown if alive", "outputs = 2 * shown if alive"),
    _rnn("linear activation", _APPLY_RNN, "pass", "rnn.tanh"),
    _rnn("without recurrence", _CARRY, "new[...] = 0"),
    _rnn("input unused", "new += a[t]", "new += 0"),
    _rnn("recurrence that grows with time", _CARRY, f"{_CARRY}; new *= 1 + t / 8"),
    _rnn("state reads the next input", "new += a[t]", "new += a[min(t + 1, steps - 1)]", "rnn.tanh"),
    _rnn(
        "inputs centred",
        "            a = (x.reshape(",
        "            x = x - x.mean(axis=2, keepdims=True)\n            a = (x.reshape(",
        "rnn.tanh",
    ),
    _stack("absolute values between GRU layers", "gru.stacked"),
    _stack("absolute values between LSTM layers", "lstm.stacked"),
    Mutant(
        "rnn.gradient of the last output alone",
        "rnn.sigma",
        "rnn",
        "backward",
        "dh += e[t]",
        "dh += e[t] if t == steps - 1 else 0",
    ),
    Mutant(
        "rnn.no gradient for the bias", "rnn.sigma", "rnn", "backward", "flat.sum(axis=0)", "np.zeros(d, flat.dtype)"
    ),
    Mutant(
        "bidirectional.each step by itself",
        "rnn.bidirectional",
        "bidirectional",
        "forward",
        "        ahead = self.forward_cell.forward(",
        '        parameters = {name: value * (not name.endswith("W_h")) for name, value in parameters.items()}\n'
        "        ahead = self.forward_cell.forward(",
    ),
    Mutant(
        "output layer.squashed",
        "rnn.bidirectional.phi",
        "output_layer",
        "forward",
        'return sigmoid(logits) if self.activation == "sigmoid" else logits',
        "return np.tanh(logits)",
    ),
)
