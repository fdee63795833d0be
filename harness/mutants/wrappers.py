"""Wrong stacks and wrong bidirectional networks."""

from __future__ import annotations

from rnn_harness.mutants.mutant import Mutant
from rnn_harness.records.kill_matrix import Part

_STACKED, _BOTH = "rnn.stacked", "rnn.bidirectional"


def _stack(name: str, part: Part, old: str, new: str, published_bug: str = "") -> Mutant:
    return Mutant(f"stacked.{name}", _STACKED, "stacked", part, old, new, published_bug)


def _both(name: str, part: Part, old: str, new: str, published_bug: str = "") -> Mutant:
    return Mutant(f"bidirectional.{name}", _BOTH, "bidirectional", part, old, new, published_bug)


MUTANTS = (
    _stack(
        "upper layer with the lower one's initial state",
        "forward",
        "select_prefix(layer, states)",
        'select_prefix("layer0", states)',
        "B-01",
    ),
    _stack(
        "upper layer reads the lower one a step late",
        "forward",
        "inputs = run.outputs",
        "inputs = run.outputs.take(range(-1, len(run.outputs) - 1), axis=0)",
    ),
    _stack(
        "gradient between layers off by 1 %",
        "backward",
        "d_outputs = gradients.inputs",
        "d_outputs = 1.01 * gradients.inputs",
        "B-03",
    ),
    _stack(
        "final gradients of the lower layer everywhere",
        "backward",
        "select_prefix(layer, d_finals)",
        'select_prefix("layer0", d_finals)',
    ),
    _stack("absolute values between layers", "forward", "inputs = run.outputs", "inputs = abs(run.outputs)"),
    _stack(
        "inputs squared, signs kept",
        "forward",
        "run = cell.forward(select_prefix(layer, parameters), inputs, initial, lengths)",
        "run = cell.forward(select_prefix(layer, parameters), inputs * abs(inputs), initial, lengths)",
    ),
    _both(
        "backward cell reads forward",
        "forward",
        "turned = reverse_time(np.asarray(inputs), lengths)",
        "turned = np.asarray(inputs)",
        "B-02",
    ),
    _both("backward outputs not turned", "forward", "reverse_time(back.outputs, lengths)", "back.outputs", "B-02"),
    _both(
        "backward cell with the forward one's weights",
        "forward",
        'select_prefix("backward", parameters), turned',
        'select_prefix("forward", parameters), turned',
    ),
    _both(
        "backward cell without its initial state",
        "forward",
        "turned, initial[1], lengths",
        "turned, None, lengths",
        "B-09",
    ),
    _both("halves swapped", "forward", "np.concatenate([a, b], axis=2)", "np.concatenate([b, a], axis=2)"),
    _both(
        "input gradient of the backward half not turned",
        "backward",
        "d_ahead.inputs + reverse_time(d_back.inputs, lengths)",
        "d_ahead.inputs + d_back.inputs",
    ),
    _both("output gradient of the backward half not turned", "backward", "reverse_time(d_b, lengths)", "d_b"),
)
