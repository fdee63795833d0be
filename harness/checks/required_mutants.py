"""What every check must be able to see: mutants it refutes on its own. A test holds each check to its row.

The rows name the mutants that the fewest other checks see; `rnn-harness mutants` prints the whole matrix.
"""

from __future__ import annotations

KILLS: dict[str, tuple[str, ...]] = {
    "forward.equation": (
        "lstm.forget bias of one added",
        "output layer.bias missing",
        "bidirectional.halves swapped",
    ),
    "forward.outputs": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "stacked.absolute values between layers",
    ),
    "forward.sequence": (
        "lstm.forget bias of one added",
        "output layer.bias missing",
        "bidirectional.halves swapped",
    ),
    "backward.screen": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "backward.blocks": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "backward.entries": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "backward.bound": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "backward.quotient": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "backward.autograd": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "metamorphic.batch-permutation": ("rnn.batch leak",),
    "metamorphic.batch-splitting": (
        "rnn.wrong only at batch 1",
        "rnn.batch leak",
        "rnn.inputs overwritten",
    ),
    "metamorphic.equal-batch-rows": ("rnn.batch leak",),
    "metamorphic.hidden-unit-permutation": ("rnn.first unit enlarged", "rnn.inputs overwritten"),
    "metamorphic.input-feature-permutation": ("rnn.first input counted twice",),
    "metamorphic.input-reparametrisation": (
        "rnn.inputs beyond 8 clipped",
        "rnn.wrong only for exact zeros",
        "rnn.first input counted twice",
    ),
    "metamorphic.hidden-unit-sign-change": (
        "lstm.sigmoid on the cell state",
        "lstm.peepholes transposed",
        "stacked.absolute values between layers",
    ),
    "metamorphic.odd-function": ("stacked.absolute values between layers",),
    "metamorphic.chunking": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "stacked.upper layer with the lower one's initial state",
    ),
    "metamorphic.causality": (
        "rnn.input one step late",
        "stacked.upper layer reads the lower one a step late",
        "rnn.inputs overwritten",
    ),
    "metamorphic.sequence-lengths": (
        "lstm.cell state not frozen past the length",
        "rnn.outputs past the length kept",
        "rnn.state not frozen past the length",
    ),
    "metamorphic.gradients-with-lengths": (
        "rnn.gradient flows past the length",
        "lstm.bias gradient of the first row alone",
        "rnn.bias gradient without the last step",
    ),
    "metamorphic.time-invariance": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "stacked.upper layer with the lower one's initial state",
    ),
    "metamorphic.zero-fixed-point": (
        "rnn.final state one step early",
        "sigmoid.offset by one thousandth",
        "gru.tanh candidate",
    ),
    "metamorphic.bias-as-input-weight": (
        "feedforward.bias subtracted",
        "rnn.bias doubled",
        "rnn.bias missing",
    ),
    "metamorphic.bias-in-two-places": (
        "feedforward.bias subtracted",
        "rnn.bias doubled",
        "rnn.bias missing",
    ),
    "metamorphic.recurrent-and-input-bias-differ": (
        "gru.recurrent candidate bias outside the reset",
        "gru.reset gate unused after the product",
    ),
    "metamorphic.cell-state-copied": (
        "lstm.final states swapped",
        "lstm.candidate gated by the output gate",
        "lstm.forget gate where there is none",
    ),
    "metamorphic.state-kept-by-update-gate": (
        "gru.recurrent gate matrices swapped",
        "gru.candidate added whole",
        "gru.input gate matrices swapped",
    ),
    "metamorphic.update-gate-limits-differ": (
        "gru.update gate swapped",
        "gru.update gate swapped the other way",
    ),
    "metamorphic.gru-limit-is-rnn": (
        "gru.recurrent candidate bias dropped",
        "gru.recurrent candidate bias outside the reset",
        "gru.reset gate unused",
    ),
    "metamorphic.lstm-limit-is-rnn": (
        "lstm.final states swapped",
        "lstm.forget gate unused",
        "lstm.output from the old cell state",
    ),
    "metamorphic.zero-peepholes": ("lstm.forget gate unused with peepholes",),
    "metamorphic.open-forget-gate": (
        "lstm.final states swapped",
        "lstm.output gate unused",
        "lstm.candidate gated by the output gate",
    ),
    "metamorphic.coupled-gates": (
        "lstm.forget bias of one added",
        "lstm.all gates with the output gate's bias",
    ),
    "metamorphic.peepholes-as-inputs": (
        "lstm.input gate with the forget gate's peephole",
        "lstm.only the diagonal of the peepholes",
        "lstm.output peephole at the old cell state",
    ),
    "metamorphic.diagonal-peepholes": (
        "lstm.input gate with the forget gate's peephole",
        "lstm.output peephole at the old cell state",
        "lstm.forget gate unused with peepholes",
    ),
    "metamorphic.update-gate-negation": (
        "gru.recurrent candidate bias dropped",
        "gru.reset after instead of before",
        "gru.recurrent candidate bias outside the reset",
    ),
    "metamorphic.reset-before-and-after-agree-if-diagonal": (
        "gru.recurrent gate matrices swapped",
        "gru.reset gate unused",
        "gru.update gate resets",
    ),
    "metamorphic.reset-before-and-after-differ": ("gru.reset after instead of before",),
    "metamorphic.sigmoid-tanh-conjugacy": (
        "rnn.final state one step early",
        "rnn.float32 inside",
        "rnn.input subtracted",
    ),
    "metamorphic.gates-in-unit-interval": (
        "lstm.output without tanh",
        "gru.tanh candidate",
        "lstm.tanh candidate",
    ),
    "metamorphic.state-between-past-and-candidate": (
        "gru.candidate added whole",
        "gru.candidate weighted with the keep gate",
        "gru.initial state ignored",
    ),
    "metamorphic.cell-state-never-falls": ("lstm.forget gate where there is none",),
    "metamorphic.time-reversal": (
        "bidirectional.backward cell reads forward",
        "bidirectional.backward cell with the forward one's weights",
        "bidirectional.backward cell without its initial state",
    ),
    "metamorphic.directions-are-cells": (
        "bidirectional.halves swapped",
        "bidirectional.backward cell reads forward",
        "bidirectional.backward cell with the forward one's weights",
    ),
    "metamorphic.palindrome": (
        "bidirectional.backward cell without its initial state",
        "bidirectional.backward outputs not turned",
    ),
    "metamorphic.layer-composition": (
        "stacked.absolute values between layers",
        "stacked.inputs squared, signs kept",
        "stacked.upper layer with the lower one's initial state",
    ),
    "metamorphic.block-diagonal-weights": (
        "rnn.wrong only where n is d",
        "rnn.inputs overwritten",
    ),
    "metamorphic.silent-unit": (
        "rnn.recurrent matrix transposed",
        "gru.candidate's recurrent matrix transposed",
        "lstm.peepholes transposed",
    ),
    "metamorphic.unit-splitting": (
        "lstm.only the diagonal of the peepholes",
        "rnn.recurrent matrix transposed",
        "gru.candidate's recurrent matrix transposed",
    ),
    "metamorphic.small-signal-linearity": ("stacked.inputs squared, signs kept",),
    "metamorphic.gradient-additivity": (
        "lstm.bias gradient of the first row alone",
        "rnn.bias gradient averaged",
    ),
    "metamorphic.adjoint": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "metamorphic.gradient-chunking": (
        "lstm.final cell state's gradient ignored",
        "rnn.final state's gradient ignored",
        "rnn.initial state's gradient masked",
    ),
    "metamorphic.constant-input-gradient": (
        "lstm.bias gradient of the first row alone",
        "rnn.bias gradient without the last step",
        "rnn.bias gradient averaged",
    ),
    "metamorphic.gauge-invariance": (
        "bidirectional.input gradient of the backward half not turned",
        "rnn.input gradient off by 1 %",
        "stacked.gradient between layers off by 1 %",
    ),
    "metamorphic.gradient-permutation": (
        "rnn.one entry of one gradient off by 1 %",
        "rnn.inputs overwritten",
    ),
    "metamorphic.gradient-norm-bound": (
        "rnn.slope of the state before",
        "sigmoid.slope with the wrong sign",
    ),
    "metamorphic.softmax-shift": ("output layer.softmax as if entry by entry",),
    "metamorphic.one-hot-input": (
        "rnn.wrong only for exact zeros",
        "rnn.first input counted twice",
        "rnn.wrong only where n is d",
    ),
    "metamorphic.repeatability": (
        "rnn.second backward differs",
        "rnn.inputs overwritten",
    ),
    "metamorphic.memory-layout": ("rnn.wrong only for strided inputs",),
    "metamorphic.float32-precision": (
        "rnn.final state one step early",
        "rnn.input subtracted",
        "rnn.inputs beyond 8 clipped",
    ),
    "metamorphic.parallel-iteration": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "rnn.initial state ignored",
    ),
    "metamorphic.automaton": (
        "lstm.final states swapped",
        "lstm.forget gate tied to the input gate",
        "lstm.sigmoid candidate",
    ),
    "metamorphic.inputs-reach-later-states": (
        "rnn.without recurrence",
        "bidirectional.each step by itself",
    ),
    "metamorphic.update-gate-moves-state": ("gru.update gate folded",),
    "metamorphic.gates-strictly-inside": ("gru.gates are 0 or 1",),
}
