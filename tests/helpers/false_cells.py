"""More cells for which a claim of the documents is false, beside the one that the claim itself names."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.mutants import Mutant
from rnn_harness.records.kill_matrix import Part

_KEEP, _WRITE, _CONCATENATED = "gru.keep.column", "gru.write.004", "gru.write.concatenated"
_SIGMOID = "sigmoid_of_minus_to(opened, opened)"
_MIX_WRITE = "            np.multiply(z, g, out=out)\n            complement *= h\n"
_KEPT, _WRITTEN, _RESET = "np.multiply(z, h, out=out)", "complement *= g", "np.multiply(r, old, out=m)"
_CARRY, _INPUT = "np.matmul(old, recurrent, out=new)", "new += a[t]"
_ADMIT, _READ = "np.multiply(i, g, out=new)", "np.multiply(o, squashed, out=out)"
_TURN = "turned = reverse_time(np.asarray(inputs), lengths)"
_JOIN = "a, b = ahead.outputs, reverse_time(back.outputs, lengths)"
_OUTPUTS = "outputs = shown if alive is None"
_LATE = "outputs = np.concatenate([shown[:1] * 0, shown[:-1]]) if alive is None"


@dataclass(frozen=True)
class FalseCell:
    """A cell for which a claim is false.

    Attributes:
        claim: The claim's id.
        says: What makes it false.
        mutant: The wrong reference.
    """

    claim: str
    says: str
    mutant: Mutant


def _cells(module: str, spec: str, *rows: tuple[str, str, str, str], part: Part = "forward") -> list[FalseCell]:
    return [
        FalseCell(claim, says, Mutant(f"{module}.{claim}: {says}", spec, module, part, old, new))
        for claim, says, old, new in rows
    ]


FALSE_CELLS: tuple[FalseCell, ...] = (
    *_cells(
        "gru",
        _KEEP,
        ("C-001", "a gate between -1 and 1", _SIGMOID, f"{_SIGMOID}; opened[...] = 2 * opened - 1"),
        ("C-002", "gates that are always open", _SIGMOID, f"{_SIGMOID}; opened[...] = 1"),
        ("C-005", "a reset gate the other way round", _RESET, "np.multiply(1 - r, old, out=m)"),
        (
            "C-006",
            "a closed reset gate that lets a sixteenth through",
            _RESET,
            "np.multiply((15 * r + 1) / 16, old, out=m)",
        ),
        ("C-007", "an open reset gate that lets half through", _RESET, "np.multiply(r / 2, old, out=m)"),
        ("C-008", "a reset gate that erases what is kept", "self._mix(z, old", "self._mix(z * r, old"),
        ("C-008", "an update gate of 1 that keeps nine tenths", _KEPT, "np.multiply(z, 0.9 * h, out=out)"),
        ("C-009", "half of the candidate is written", _WRITTEN, "complement *= g / 2"),
        ("C-013", "both gates are open", _WRITTEN, "complement[...] = g"),
        ("C-014", "an input gate that is the square of what is not kept", _WRITTEN, "complement *= complement * g"),
        ("C-015", "half of what was there stays", _KEPT, "np.multiply((1 + z) / 2, h, out=out)"),
        ("C-018", "a reset of one half, whatever the gate", _RESET, "np.multiply(0.5 + 0 * r, old, out=m)"),
        ("C-104", "history that is not lost where news are written", _WRITTEN, "complement[...] = g"),
        (
            "C-124",
            "gates that read the next input",
            "enumerate(from_input,",
            "enumerate([*from_input[1:], from_input[0]],",
        ),
        ("C-170", "gates that read the time", "opened += now[:2]", "opened += now[:2] + t / 8"),
        ("C-178", "outputs that come a step late", _OUTPUTS, _LATE),
        ("C-184", "a limit with half of the activation", "apply(g, g)", "apply(g, g); g *= 0.5"),
        ("C-193", "a reset gate that erases what is kept", "self._mix(z, old", "self._mix(z * r, old"),
        ("C-194", "a candidate without the state", _RESET, "m[...] = 0"),
    ),
    *_cells(
        "gru",
        _CONCATENATED,
        ("C-011", "an update gate that is folded", _SIGMOID, f"{_SIGMOID}; z[...] = 4 * z * (1 - z)"),
        (
            "C-175",
            "an update gate that changes nothing",
            _MIX_WRITE,
            "            out[...] = g\n            complement *= 0\n",
        ),
    ),
    *_cells(
        "gru",
        _WRITE,
        ("C-012", "at 0 half is new", "complement *= h", "complement *= (g + h) / 2"),
        ("C-185", "a gate that takes its square", _MIX_WRITE, _MIX_WRITE.replace("(z, g,", "(z * z, g,")),
    ),
    *_cells(
        "lstm",
        "lstm.column",
        ("C-003", "a gate between -1 and 1", _SIGMOID, f"{_SIGMOID}; opened[...] = 2 * opened - 1"),
        ("C-022", "an output gate that reads at 0", _READ, "np.multiply(1 - o, squashed, out=out)"),
        ("C-034", "outputs that come a step late", _OUTPUTS, _LATE),
        ("C-035", "nothing is added", _ADMIT, "new[...] = 0"),
        (
            "C-037",
            "a candidate between 0 and 1",
            "apply_candidate(g, g)",
            "apply_candidate(g, g); g[...] = (g + 1) / 2",
        ),
        ("C-038", "a cell state without its input gate", _ADMIT, "new[...] = g"),
        ("C-038", "a hidden state without its output gate", _READ, "out[...] = squashed"),
        ("C-179", "an input gate the other way round", _ADMIT, "np.multiply(1 - i, g, out=new)"),
        ("C-191", "an eighth is added whatever the input gate", _ADMIT, f"{_ADMIT}; new += g / 8"),
    ),
    *_cells(
        "lstm",
        "lstm.peephole",
        ("C-023", "an input gate without a peephole", 'i -= self._peek(p["W_ci"], old)', "pass"),
        ("C-023", "a forget gate without a peephole", 'f -= self._peek(p["W_cf"], old)', "pass"),
    ),
    *_cells("lstm", "lstm.sigma", ("C-024", "an output gate up to 2", _SIGMOID, f"{_SIGMOID}; o *= 2")),
    *_cells(
        "rnn",
        "rnn.sigma",
        ("C-094", "every second state is dropped", _CARRY, "np.matmul(old * (t % 2), recurrent, out=new)"),
        ("C-094", "the first state is dropped", _CARRY, "np.matmul(old * (t != 1), recurrent, out=new)"),
        ("C-095", "the first input alone is read", _INPUT, "new += a[0]"),
        ("C-120", "input weights that grow with time", _INPUT, "new += a[t] * (1 + t / 8)"),
        ("C-121", "nothing is read after three steps", _INPUT, "new += a[t] * (t < 3)"),
        ("C-133", "the first input alone is read", _INPUT, "new += a[0]"),
        ("C-137", "every second state is dropped", _CARRY, "np.matmul(old * (t % 2), recurrent, out=new)"),
        ("C-138", "copies whose input weights differ", _INPUT, "new += a[t] * (1 + t / 8)"),
        ("C-186", "no input matrix", _INPUT, "new += 0"),
    ),
    *_cells(
        "rnn", "rnn.tanh", ("C-004", "a state up to one and a half", "apply(new, new)", "apply(new, new); new *= 1.5")
    ),
    *_cells(
        "rnn",
        "rnn.sigma",
        ("C-105", "no gradient from the first output", "dh += e[t]", "dh += e[t] if t else 0"),
        ("C-180", "no gradient for W", '"W_h": flat.T @', '"W_h": 0 * flat.T @'),
        ("C-180", "no gradient for U", '"W_x": flat.T @', '"W_x": 0 * flat.T @'),
        part="backward",
    ),
    *_cells(
        "stacked", "gru.stacked", ("C-062", "half of what is below", "inputs = run.outputs", "inputs = run.outputs / 2")
    ),
    *_cells(
        "bidirectional",
        "rnn.bidirectional",
        ("C-125", "outputs that are not turned back", _JOIN, "a, b = ahead.outputs, back.outputs"),
        ("C-128", "a second cell that reads forward", _TURN, "turned = np.asarray(inputs)"),
    ),
    *_cells(
        "bidirectional",
        "rnn.bidirectional.phi",
        ("C-130", "one half twice", _JOIN, "a, b = ahead.outputs, ahead.outputs"),
    ),
)
"""Each must be refuted by the claim's own evidence."""
