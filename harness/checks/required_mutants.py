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
    "relation.M-01": ("rnn.batch leak",),
    "relation.M-02": (
        "rnn.wrong only at batch 1",
        "rnn.batch leak",
        "rnn.inputs overwritten",
    ),
    "relation.M-03": ("rnn.batch leak",),
    "relation.M-04": (
        "lstm.output peephole after the sigmoid",
        "rnn.inputs overwritten",
    ),
    "relation.M-05": ("rnn.first input counted twice",),
    "relation.M-06": (
        "rnn.inputs beyond 8 clipped",
        "rnn.wrong only for exact zeros",
        "rnn.first input counted twice",
    ),
    "relation.M-07": (
        "lstm.sigmoid on the cell state",
        "lstm.peepholes transposed",
        "stacked.absolute values between layers",
    ),
    "relation.M-07b": ("stacked.absolute values between layers",),
    "relation.M-08": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "stacked.upper layer with the lower one's initial state",
    ),
    "relation.M-09": (
        "rnn.input one step late",
        "stacked.upper layer reads the lower one a step late",
        "rnn.inputs overwritten",
    ),
    "relation.M-10": (
        "lstm.cell state not frozen past the length",
        "rnn.outputs past the length kept",
        "rnn.state not frozen past the length",
    ),
    "relation.M-10b": (
        "rnn.gradient flows past the length",
        "lstm.bias gradient of the first row alone",
        "rnn.bias gradient without the last step",
    ),
    "relation.M-11": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "stacked.upper layer with the lower one's initial state",
    ),
    "relation.M-12": (
        "rnn.final state one step early",
        "sigmoid.offset by one thousandth",
        "gru.tanh candidate",
    ),
    "relation.M-13": (
        "feedforward.bias subtracted",
        "rnn.bias doubled",
        "rnn.bias missing",
    ),
    "relation.M-14": (
        "feedforward.bias subtracted",
        "rnn.bias doubled",
        "rnn.bias missing",
    ),
    "relation.M-14b": (
        "gru.recurrent candidate bias outside the reset",
        "gru.reset gate unused after the product",
    ),
    "relation.M-15": (
        "lstm.final states swapped",
        "lstm.candidate gated by the output gate",
        "lstm.forget gate where there is none",
    ),
    "relation.M-16": (
        "gru.recurrent gate matrices swapped",
        "gru.candidate added whole",
        "gru.input gate matrices swapped",
    ),
    "relation.M-16b": (
        "gru.update gate swapped",
        "gru.update gate swapped the other way",
    ),
    "relation.M-17": (
        "gru.recurrent candidate bias dropped",
        "gru.recurrent candidate bias outside the reset",
        "gru.reset gate unused",
    ),
    "relation.M-18": (
        "lstm.final states swapped",
        "lstm.forget gate unused",
        "lstm.output from the old cell state",
    ),
    "relation.M-19": ("lstm.forget gate unused beside peepholes",),
    "relation.M-19b": (
        "lstm.final states swapped",
        "lstm.output gate unused",
        "lstm.candidate gated by the output gate",
    ),
    "relation.M-20": (
        "lstm.forget bias of one added",
        "lstm.all gates with the output gate's bias",
    ),
    "relation.M-21": (
        "lstm.input gate with the forget gate's peephole",
        "lstm.only the diagonal of the peepholes",
        "lstm.output peephole at the old cell state",
    ),
    "relation.M-21b": (
        "lstm.input gate with the forget gate's peephole",
        "lstm.output peephole at the old cell state",
        "lstm.forget gate unused beside peepholes",
    ),
    "relation.M-22": (
        "gru.recurrent candidate bias dropped",
        "gru.reset after instead of before",
        "gru.recurrent candidate bias outside the reset",
    ),
    "relation.M-25": (
        "gru.recurrent gate matrices swapped",
        "gru.reset gate unused",
        "gru.update gate resets",
    ),
    "relation.M-25b": ("gru.reset after instead of before",),
    "relation.M-26": (
        "rnn.final state one step early",
        "rnn.float32 inside",
        "rnn.input subtracted",
    ),
    "relation.M-27": (
        "lstm.output without tanh",
        "gru.tanh candidate",
        "lstm.tanh candidate",
    ),
    "relation.M-27b": (
        "gru.candidate added whole",
        "gru.candidate weighted with the keep gate",
        "gru.initial state ignored",
    ),
    "relation.M-28": ("lstm.forget gate where there is none",),
    "relation.M-29": (
        "bidirectional.backward cell reads forward",
        "bidirectional.backward cell with the forward one's weights",
        "bidirectional.backward cell without its initial state",
    ),
    "relation.M-30": (
        "bidirectional.halves swapped",
        "bidirectional.backward cell reads forward",
        "bidirectional.backward cell with the forward one's weights",
    ),
    "relation.M-31": (
        "bidirectional.backward cell without its initial state",
        "bidirectional.backward outputs not turned",
    ),
    "relation.M-32": (
        "stacked.absolute values between layers",
        "stacked.inputs squared, signs kept",
        "stacked.upper layer with the lower one's initial state",
    ),
    "relation.M-33": (
        "rnn.wrong only where n is d",
        "rnn.inputs overwritten",
    ),
    "relation.M-34": (
        "rnn.recurrent matrix transposed",
        "gru.candidate's recurrent matrix transposed",
        "lstm.peepholes transposed",
    ),
    "relation.M-35": (
        "lstm.only the diagonal of the peepholes",
        "rnn.recurrent matrix transposed",
        "gru.candidate's recurrent matrix transposed",
    ),
    "relation.M-36": ("stacked.inputs squared, signs kept",),
    "relation.M-37": (
        "lstm.bias gradient of the first row alone",
        "rnn.bias gradient averaged",
    ),
    "relation.M-38": (
        "bidirectional.output gradient of the backward half not turned",
        "feedforward.slope missing",
        "gru.candidate gradient with the state not reset",
    ),
    "relation.M-39": (
        "lstm.final cell state's gradient ignored",
        "rnn.final state's gradient ignored",
        "rnn.initial state's gradient masked",
    ),
    "relation.M-40": (
        "lstm.bias gradient of the first row alone",
        "rnn.bias gradient without the last step",
        "rnn.bias gradient averaged",
    ),
    "relation.M-40b": (
        "bidirectional.input gradient of the backward half not turned",
        "rnn.input gradient off by 1 %",
        "stacked.gradient between layers off by 1 %",
    ),
    "relation.M-41": (
        "rnn.one entry of one gradient off by 1 %",
        "lstm.output peephole after the sigmoid",
        "rnn.inputs overwritten",
    ),
    "relation.M-42": (
        "rnn.slope of the state before",
        "sigmoid.slope with the wrong sign",
    ),
    "relation.M-43": ("output layer.softmax as if entry by entry",),
    "relation.M-44": (
        "rnn.wrong only for exact zeros",
        "rnn.first input counted twice",
        "rnn.wrong only where n is d",
    ),
    "relation.M-45": (
        "rnn.second backward differs",
        "rnn.inputs overwritten",
    ),
    "relation.M-46": ("rnn.wrong only for strided inputs",),
    "relation.M-47": (
        "rnn.final state one step early",
        "rnn.input subtracted",
        "rnn.inputs beyond 8 clipped",
    ),
    "relation.M-49": (
        "lstm.final states swapped",
        "rnn.final state one step early",
        "rnn.initial state ignored",
    ),
    "relation.M-50": (
        "lstm.final states swapped",
        "lstm.forget gate tied to the input gate",
        "lstm.sigmoid candidate",
    ),
}
