"""Edits of the cells and of what they share that change nothing that can be seen, by the reason."""

from __future__ import annotations

_BY_REASON: dict[str, tuple[str, ...]] = {
    "so many columns take at least one step": (
        (
            "layout.time_blocks: size = max(ENTRIES_PER_BLOCK // max(1, hidden_size * batch), "
            "-(-COLUMNS_PER_BLOCK // max(1, batch)), 1) -> size = max(ENTRIES_PER_BLOCK // max(1, hidden_size "
            "* batch), -(-COLUMNS_PER_BLOCK // max(1, batch)), 0)"
        ),
    ),
    "there is room for the shift of at most 63 bytes both times": (
        "layout.empty_aligned: room = np.empty(size + 64, np.uint8) -> room = np.empty(size + 65, np.uint8)",
        "layout.empty_aligned: room = np.empty(size + 64, np.uint8) -> room = np.empty(size + 63, np.uint8)",
    ),
    "a list has the length of its array": (
        ("rnn.RNN.forward: d = len(np.asarray(parameters.get('W_h', ()))) -> d = len(parameters.get('W_h', ()))"),
        ("gru.GRU.forward: d = len(np.asarray(parameters.get('W_hr', ()))) -> d = len(parameters.get('W_hr', ()))"),
        ("lstm.LSTM.forward: d = len(np.asarray(parameters.get('W_hi', ()))) -> d = len(parameters.get('W_hi', ()))"),
    ),
    "the same numbers in another order of memory": (
        "rnn.RNN.forward: recurrent = np.ascontiguousarray(p['W_h'].T) -> recurrent = p['W_h'].T",
        (
            "gru.GRU.backward: above = np.ascontiguousarray(e[span].transpose(0, 2, 1)) -> above = "
            "e[span].transpose(0, 2, 1)"
        ),
        (
            "gru.GRU.backward: return Gradients(d_inputs, {'h': np.ascontiguousarray(dh.T)}, gradients) -> "
            "return Gradients(d_inputs, {'h': dh.T}, gradients)"
        ),
        (
            "lstm.LSTM.forward: recurrent, product = (np.ascontiguousarray(weights[:, :d]), "
            "empty_aligned((count * d, batch), x.dtype)) -> recurrent, product = (weights[:, :d], "
            "empty_aligned((count * d, batch), x.dtype))"
        ),
        (
            "lstm.LSTM.backward: dh, dc = (np.ascontiguousarray(last['h'].T), "
            "np.ascontiguousarray(last['c'].T)) -> dh, dc = (last['h'].T, np.ascontiguousarray(last['c'].T))"
        ),
        (
            "lstm.LSTM.backward: dh, dc = (np.ascontiguousarray(last['h'].T), "
            "np.ascontiguousarray(last['c'].T)) -> dh, dc = (np.ascontiguousarray(last['h'].T), last['c'].T)"
        ),
        (
            "lstm.LSTM.backward: above = np.ascontiguousarray(e[span].transpose(0, 2, 1)) -> above = "
            "e[span].transpose(0, 2, 1)"
        ),
        (
            "lstm.LSTM.backward: return Gradients(d_inputs, {'h': np.ascontiguousarray(dh.T), 'c': "
            "np.ascontiguousarray(dc.T)}, gradients) -> return Gradients(d_inputs, {'h': dh.T, 'c': "
            "np.ascontiguousarray(dc.T)}, gradients)"
        ),
        (
            "lstm.LSTM.backward: return Gradients(d_inputs, {'h': np.ascontiguousarray(dh.T), 'c': "
            "np.ascontiguousarray(dc.T)}, gradients) -> return Gradients(d_inputs, {'h': "
            "np.ascontiguousarray(dh.T), 'c': dc.T}, gradients)"
        ),
    ),
    "each step's rows are multiplied by themselves: the same sums": (
        (
            "rnn.RNN.forward: a = (x.reshape(steps * batch, n) @ p['W_x'].T).reshape(steps, batch, d) -> a = "
            "(x @ p['W_x'].T).reshape(steps, batch, d)"
        ),
    ),
    "a copy that nobody needs where no row ends": (
        "rnn.RNN.backward: after = dh.copy() if alive is not None else dh -> after = dh.copy()",
        "gru.GRU.backward: after = dh.copy() if alive is not None else dh -> after = dh.copy()",
        (
            "lstm.LSTM.backward: dh_after, dc_after = (dh.copy(), dc.copy()) if alive is not None else (dh, "
            "dc) -> dh_after, dc_after = (dh.copy(), dc.copy())"
        ),
    ),
    "what is paired has the same length wherever the shapes were checked": (
        (
            "gru.GRU._input_weights: for gate, row in zip('rzg', rows, strict=True): -> for gate, row in "
            "zip('rzg', rows):"
        ),
        (
            "gru.GRU._input_weights: for gate, row in zip('rzg', rows, strict=True): -> for gate, row in "
            "zip('rzg', rows, strict=False):"
        ),
        (
            "gru.GRU._recurrent_weights: for gate, row in zip(order, rows, strict=True): -> for gate, row in "
            "zip(order, rows):"
        ),
        (
            "gru.GRU._recurrent_weights: for gate, row in zip(order, rows, strict=True): -> for gate, row in "
            "zip(order, rows, strict=False):"
        ),
        (
            "gru.GRU.backward: gradients |= dict(zip(('W_xr', 'W_xz', 'W_xg'), d_input_weights.reshape(3, d, "
            "n), strict=True)) -> gradients |= dict(zip(('W_xr', 'W_xz', 'W_xg'), d_input_weights.reshape(3, "
            "d, n)))"
        ),
        (
            "gru.GRU.backward: gradients |= dict(zip(('W_xr', 'W_xz', 'W_xg'), d_input_weights.reshape(3, d, "
            "n), strict=True)) -> gradients |= dict(zip(('W_xr', 'W_xz', 'W_xg'), d_input_weights.reshape(3, "
            "d, n), strict=False))"
        ),
        (
            "lstm.LSTM._joined_weights: for gate, row in zip(self.gates, rows, strict=True): -> for gate, row "
            "in zip(self.gates, rows):"
        ),
        (
            "lstm.LSTM._joined_weights: for gate, row in zip(self.gates, rows, strict=True): -> for gate, row "
            "in zip(self.gates, rows, strict=False):"
        ),
        (
            "lstm.LSTM.backward: for step, do, cell_deltas, f, column, into, from_output in "
            "reversed(list(zip(*parts, strict=True))): -> for step, do, cell_deltas, f, column, into, "
            "from_output in reversed(list(zip(*parts))):"
        ),
        (
            "lstm.LSTM.backward: for step, do, cell_deltas, f, column, into, from_output in "
            "reversed(list(zip(*parts, strict=True))): -> for step, do, cell_deltas, f, column, into, "
            "from_output in reversed(list(zip(*parts, strict=False))):"
        ),
        (
            "lstm.LSTM.backward: for gate, rows in zip(self.gates, d_weights.reshape(count, d, "
            "operands.shape[1]), strict=True): -> for gate, rows in zip(self.gates, d_weights.reshape(count, "
            "d, operands.shape[1])):"
        ),
        (
            "lstm.LSTM.backward: for gate, rows in zip(self.gates, d_weights.reshape(count, d, "
            "operands.shape[1]), strict=True): -> for gate, rows in zip(self.gates, d_weights.reshape(count, "
            "d, operands.shape[1]), strict=False):"
        ),
    ),
    "both are exact: the factor is 1 or -1": (
        (
            "gru.GRU._input_weights: np.multiply(p[f'W_x{gate}'], sign, out=row[:, :n]) -> "
            "np.divide(p[f'W_x{gate}'], sign, out=row[:, :n])"
        ),
        (
            "gru.GRU._input_weights: np.multiply(p[f'b_{gate}'], sign, out=row[:, n]) -> "
            "np.divide(p[f'b_{gate}'], sign, out=row[:, n])"
        ),
        (
            "gru.GRU._recurrent_weights: np.multiply(p[f'W_h{gate}'], 1 if gate == 'g' else -1, out=row[:, "
            ":d]) -> np.divide(p[f'W_h{gate}'], 1 if gate == 'g' else -1, out=row[:, :d])"
        ),
        (
            "lstm.LSTM._joined_weights: np.multiply(p[f'W_h{gate}'], sign, out=row[:, :d]) -> "
            "np.divide(p[f'W_h{gate}'], sign, out=row[:, :d])"
        ),
        (
            "lstm.LSTM._joined_weights: np.multiply(p[f'W_x{gate}'], sign, out=row[:, d:d + n]) -> "
            "np.divide(p[f'W_x{gate}'], sign, out=row[:, d:d + n])"
        ),
        (
            "lstm.LSTM._joined_weights: np.multiply(p[f'b_{gate}'], sign, out=row[:, -1]) -> "
            "np.divide(p[f'b_{gate}'], sign, out=row[:, -1])"
        ),
    ),
    "a product more is computed, in the place of what is written there next": (
        "gru.GRU._recurrent_weights: order = 'rz' if self.reset == 'before' else 'grz' -> order = 'grz'",
        (
            "gru.GRU._recurrent_weights: order = 'rz' if self.reset == 'before' else 'grz' -> order = 'rz' if "
            "self.reset == 'beforeX' else 'grz'"
        ),
    ),
    "the states are written before they are read": ("gru.GRU.forward: operands[:, d:] = 1 -> operands[:, :] = 1",),
    "the inputs are written before they are read": ("gru.GRU.forward: below[:, n:] = 1 -> below[:, :] = 1",),
    "a new array in the place of the one that is held ready": (
        (
            "gru.GRU.forward: from_input = np.matmul(input_weights, below[:length], out=room[:length]) -> "
            "from_input = np.matmul(input_weights, below[:length])"
        ),
        ("lstm.LSTM.forward: now += np.matmul(recurrent, h[t], out=product) -> now += np.matmul(recurrent, h[t])"),
        (
            "lstm.LSTM.forward: new += np.multiply(f, old, out=carried) if self.forget else old -> new += "
            "np.multiply(f, old) if self.forget else old"
        ),
        "lstm.LSTM.backward: dc += np.multiply(dh, into, out=through) -> dc += np.multiply(dh, into)",
    ),
    "how the steps lie in memory changes the time, and the last digits, alone": (
        (
            "gru.GRU.backward: collected = BlockGradients(by_step, d, max(d, n), flat) -> collected = "
            "BlockGradients(by_step, d, min(d, n), flat)"
        ),
        (
            "lstm.LSTM.backward: collected = BlockGradients(by_step, d, operands.shape[1], flat) -> collected "
            "= BlockGradients(by_step, d, operands.shape[2], flat)"
        ),
        (
            "lstm.LSTM.backward: collected = BlockGradients(by_step, d, operands.shape[1], flat) -> collected "
            "= BlockGradients(by_step, d, operands.shape[0], flat)"
        ),
    ),
    "a dictionary takes the pairs as they come": (
        (
            "gru.GRU.backward: gradients |= dict(zip(('W_xr', 'W_xz', 'W_xg'), d_input_weights.reshape(3, d, "
            "n), strict=True)) -> gradients |= zip(('W_xr', 'W_xz', 'W_xg'), d_input_weights.reshape(3, d, n), "
            "strict=True)"
        ),
    ),
    "from which size on weights are read in two halves changes the time, and the last digits, alone": (
        "lstm: SPLIT_BYTES = 2 ** 20 -> SPLIT_BYTES = 3 ** 20",
        "lstm: SPLIT_BYTES = 2 ** 20 -> SPLIT_BYTES = 1 ** 20",
        "lstm: SPLIT_BYTES = 2 ** 20 -> SPLIT_BYTES = 2 * 20",
        "lstm: SPLIT_BYTES = 2 ** 20 -> SPLIT_BYTES = 2 ** 21",
        "lstm: SPLIT_BYTES = 2 ** 20 -> SPLIT_BYTES = 2 ** 19",
        "lstm.LSTM.forward: halves = weights.nbytes > SPLIT_BYTES -> halves = weights.nbytes >= SPLIT_BYTES",
        "lstm.LSTM.forward: halves = weights.nbytes > SPLIT_BYTES -> halves = weights.nbytes <= SPLIT_BYTES",
    ),
    "the cell states are one more than the steps, and the shortest decides both times": (
        (
            "lstm.LSTM.forward: for t, (now, opened, o, i, f, g, old, new, squashed, out) in "
            "enumerate(zip(*parts, strict=False)): -> for t, (now, opened, o, i, f, g, old, new, squashed, "
            "out) in enumerate(zip(*parts)):"
        ),
    ),
    "a dictionary that nobody else holds": (
        "lstm.LSTM.backward: gradients = dict(d_peepholes) -> gradients = d_peepholes",
    ),
    "no dtype has that letter": (
        ("arguments.accept_arguments: if inputs.dtype.kind not in 'fc': -> if inputs.dtype.kind not in 'fcX':"),
        (
            "arguments.alive_steps: if lengths.shape != (batch,) or lengths.dtype.kind not in 'iu': -> if "
            "lengths.shape != (batch,) or lengths.dtype.kind not in 'iuX':"
        ),
    ),
}
EQUIVALENT_IN_CELLS: dict[str, str] = {name: reason for reason, names in _BY_REASON.items() for name in names}
"""Each edit with its reason."""
