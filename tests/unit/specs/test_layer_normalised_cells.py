"""The cells of the literature with layer normalisation give what torch's own layer normalisation gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.specs import literature

Weights = dict[str, Tensor]
Step = Callable[[Weights, Tensor, Tensor, Tensor], tuple[Tensor, ...]]
SIZES = {"n": 5, "d": 4}


def _stacked(p: Weights, letter: str, gates: str) -> Tensor:
    return torch.cat([p[f"{letter}_{gate}"] for gate in gates])


def _together(p: Weights, product: Tensor, gain: str, gates: str) -> list[Tensor]:
    normalised = layer_norm(product, product.shape[-1:], _stacked(p, gain, gates))
    return list(normalised.chunk(len(gates), -1))


def _alone(product: Tensor, gain: Tensor, shift: Tensor | None = None) -> Tensor:
    return layer_norm(product, product.shape[-1:], gain, shift)


def _lstm(p: Weights, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    of_inputs = _together(p, x @ _stacked(p, "W", "ifog").T, "a", "ifog")
    of_states = _together(p, h @ _stacked(p, "U", "ifog").T, "e", "ifog")
    i, f, o, g = (a + b + p[f"b_{gate}"] for a, b, gate in zip(of_inputs, of_states, "ifog", strict=True))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * _alone(c, p["a_c"], p["b_c"]).tanh(), c


def _lstm_carried(p: Weights, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    of_inputs = _together(p, x @ _stacked(p, "W", "ifog").T, "a", "ifog")
    of_states = _together(p, h @ _stacked(p, "U", "ifog").T, "e", "ifog")
    i, f, o, g = (a + b + p[f"b_{gate}"] for a, b, gate in zip(of_inputs, of_states, "ifog", strict=True))
    c = _alone(f.sigmoid() * c + i.sigmoid() * g.tanh(), p["a_c"], p["b_c"])
    return o.sigmoid() * c.tanh(), c


def _lstm_apart(p: Weights, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, o, g = (
        _alone(x @ p[f"W_{k}"].T, p[f"a_{k}"]) + _alone(h @ p[f"U_{k}"].T, p[f"e_{k}"]) + p[f"b_{k}"] for k in "ifog"
    )
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * _alone(c, p["a_c"], p["b_c"]).tanh(), c


def _lstm_gates(p: Weights, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, o, g = (_alone(x @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T, p[f"a_{k}"], p[f"b_{k}"]) for k in "ifog")
    c = _alone(f.sigmoid() * c + i.sigmoid() * g.tanh(), p["a_c"], p["b_c"])
    return o.sigmoid() * c.tanh(), c


def _gru(p: Weights, x: Tensor, h: Tensor, _: Tensor) -> tuple[Tensor]:
    of_inputs = _together(p, x @ _stacked(p, "W", "rzg").T, "a", "rzg")
    of_states = _together(p, h @ _stacked(p, "U", "rzg").T, "e", "rzg")
    return (_gru_of_parts(p, of_inputs, of_states, h),)


def _gru_apart(p: Weights, x: Tensor, h: Tensor, _: Tensor) -> tuple[Tensor]:
    of_inputs = [_alone(x @ p[f"W_{k}"].T, p[f"a_{k}"]) for k in "rzg"]
    return (_gru_of_parts(p, of_inputs, [_alone(h @ p[f"U_{k}"].T, p[f"e_{k}"]) for k in "rzg"], h),)


def _gru_candidate_apart(p: Weights, x: Tensor, h: Tensor, _: Tensor) -> tuple[Tensor]:
    of_inputs = _together(p, x @ _stacked(p, "W", "rz").T, "a", "rz")
    of_states = _together(p, h @ _stacked(p, "U", "rz").T, "e", "rz")
    of_inputs.append(_alone(x @ p["W_g"].T, p["a_g"]))
    return (_gru_of_parts(p, of_inputs, [*of_states, _alone(h @ p["U_g"].T, p["e_g"])], h),)


def _gru_of_parts(p: Weights, of_inputs: list[Tensor], of_states: list[Tensor], h: Tensor) -> Tensor:
    r = (of_inputs[0] + of_states[0] + p["b_r"]).sigmoid()
    z = (of_inputs[1] + of_states[1] + p["b_z"]).sigmoid()
    candidate = (of_inputs[2] + p["b_g"] + r * (of_states[2] + p["b_h"])).tanh()
    return torch.lerp(candidate, h, z)


def _dreamer(p: Weights, x: Tensor, h: Tensor, _: Tensor) -> tuple[Tensor]:
    r, z, g = (x @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T + p[f"b_{k}"] for k in "rzg")
    return (torch.lerp(h, (r.sigmoid() * g).tanh(), z.sigmoid()),)


def _dreamer_normalised(p: Weights, x: Tensor, h: Tensor, _: Tensor) -> tuple[Tensor]:
    product = torch.cat([x @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T + p[f"d_{k}"] for k in "rzg"], -1)
    normalised = layer_norm(product, product.shape[-1:], _stacked(p, "a", "rzg"), _stacked(p, "b", "rzg"))
    r, z, g = normalised.chunk(3, -1)
    return (torch.lerp(h, (r.sigmoid() * g).tanh(), z.sigmoid()),)


STEPS: dict[str, Step] = {
    "lstm.layernorm": _lstm,
    "lstm.layernorm.carried": _lstm_carried,
    "lstm.layernorm.apart": _lstm_apart,
    "lstm.layernorm.gates": _lstm_gates,
    "gru.layernorm": _gru,
    "gru.layernorm.apart": _gru_apart,
    "gru.layernorm.candidate": _gru_candidate_apart,
    "gru.dreamer": _dreamer,
    "gru.dreamer.layernorm": _dreamer_normalised,
}


def test_every_cell_with_layer_normalisation_has_a_step_here() -> None:
    assert {spec.id for spec in literature() if "layernorm" in spec.id} <= set(STEPS)


@pytest.mark.parametrize("name", STEPS)
def test_the_equations_are_the_step_with_the_layer_normalisation_of_torch(name: str) -> None:
    program = next(spec for spec in literature() if spec.id == name).program()
    rng = np.random.default_rng(5)
    parameters = {v.name: rng.standard_normal([axis.size(SIZES) for axis in v.shape]) for v in program.parameters}
    states = {state.name: rng.standard_normal((2, 4)) for state in program.states}
    x = rng.standard_normal((2, 5))
    values = Values(parameters, {"x": x[None]}, states, SIZES)
    computed = evaluate(program, values, NumpyArithmetic()).steps[0]
    weights = {key: torch.from_numpy(value) for key, value in parameters.items()}
    cell_state = torch.from_numpy(states.get("c", states["h"]))
    expected = STEPS[name](weights, torch.from_numpy(x), torch.from_numpy(states["h"]), cell_state)
    for state, value in zip(("h", "c"), expected, strict=False):
        np.testing.assert_allclose(computed[state], value.numpy(), rtol=1e-12, atol=1e-13)
