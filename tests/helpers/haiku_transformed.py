"""What `hk.transform` gives at module level: a step with a state, models of numbers and of tokens."""

from __future__ import annotations

from typing import Any

import haiku as hk


def _step(x: Any, state: Any) -> Any:
    output, state = hk.LSTM(7)(x, state)
    return hk.Linear(2)(output), state


step = hk.without_apply_rng(hk.transform(_step))


def _classify(x: Any) -> Any:
    core = hk.LSTM(6)
    outputs, _ = hk.dynamic_unroll(core, x, core.initial_state(x.shape[0]), time_major=False)
    return hk.Linear(3)(outputs[:, -1])


classifier = hk.transform(_classify)


def _next_token(tokens: Any) -> Any:
    core = hk.GRU(6)
    x = hk.Embed(11, 5)(tokens)
    outputs, _ = hk.dynamic_unroll(core, x, core.initial_state(x.shape[0]), time_major=False)
    return hk.Linear(11)(outputs)


language_model = hk.transform(_next_token)
