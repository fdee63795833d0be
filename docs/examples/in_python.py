"""The same from Python: identify and validate a cell, and read the result."""

from __future__ import annotations

from my_gru import MyGRU, WrongGRU

import rnn_harness

(match,) = rnn_harness.identify(MyGRU)
print(match.spec)  # gru.keep.column

validation = rnn_harness.validate(WrongGRU, dtypes=("float64",), examples=0)
print(validation.outcome)  # refuted
assert validation.diagnosis is not None
print(validation.diagnosis.difference)  # the candidate is added without being scaled by the update gate
