"""Walks over time: as few as possible, each finding what it reads; forward and backward through any number of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnn_harness.arithmetic import NumpyArithmetic, Values, evaluate
from rnn_harness.arithmetic.assumptions import COMPLEX_STEP, COMPLEX_STEP_FLOOR
from rnn_harness.arithmetic.ball import BallArithmetic
from rnn_harness.checks.check import compare_with_balls
from rnn_harness.derivatives import derive, differentiate
from rnn_harness.specs import SpecError, load_spec
from rnn_harness.specs.program import Program

RIGHT = r"h_t = \tanh(W x_t + U h_{t-1})"
LEFT = r"g_t = \tanh(W x_t + V g_{t+1})"
BOTH = r"y_t = K [h_t, g_t]"
ABOVE = r"z_t = \tanh(K [h_t, g_t] + R z_{t-1})"
SHAPES = {"W": "d n", "U": "d d", "V": "d d", "K": "d 2d", "R": "d d"}


def program(folder: Path, states: str, output: str, *equations: str) -> Program:
    text = " ".join(equations)
    declared = ", ".join(f'{name} = "d"' for name in states.split())
    parameters = ", ".join(f'{name} = "{shape}"' for name, shape in SHAPES.items() if name in text)
    head = [
        'id = "trial"',
        'title = "A trial"',
        'inputs = { x = "n" }',
        f"states = {{ {declared} }}",
        f'outputs = ["{output}"]',
        f"parameters = {{ {parameters} }}",
    ]
    rows = [f"[[equations]]\nid = \"F-{i:03d}\"\nline = {i}\nprinted = '{one}'" for i, one in enumerate(equations, 1)]
    path = folder / "trial.toml"
    path.write_text("\n".join([*head, *rows]), encoding="utf-8")
    return load_spec(path).program()


def walks(made: Program) -> list[tuple[int, str]]:
    return [(one.direction, " ".join(a.target.name for a in one.assignments)) for one in made.passes]


def test_one_direction_is_one_pass_with_everything_in_it(tmp_path: Path) -> None:
    made = program(tmp_path, "h", "y", r"p_t = W x_t", r"h_t = \tanh(p_t + U h_{t-1})", "y_t = V h_t")
    assert walks(made) == [(1, "p h y")]


def test_both_directions_and_what_joins_them(tmp_path: Path) -> None:
    assert walks(program(tmp_path, "h g", "y", BOTH, LEFT, RIGHT)) == [(-1, "g"), (1, "h"), (0, "y")]


def test_a_recurrence_above_both_directions_walks_after_them(tmp_path: Path) -> None:
    made = program(tmp_path, "h g z", "z", RIGHT, LEFT, ABOVE)
    assert walks(made) == [(1, "h"), (-1, "g"), (1, "z")]
    assert [[state.name for state in one.carried] for one in made.passes] == [["h"], ["g"], ["z"]]


def test_states_that_need_each_other_share_a_pass(tmp_path: Path) -> None:
    made = program(tmp_path, "h g", "h", r"h_t = \tanh(W x_t + U g_{t-1})", r"g_t = V h_t + R h_{t-1}")
    assert walks(made) == [(1, "h g")]


def test_feedback_through_an_output_needs_only_the_output_as_a_state(tmp_path: Path) -> None:
    made = program(tmp_path, "y", "y", r"h_t = \tanh(W x_t + U y_{t-1})", r"y_t = V h_t")
    assert walks(made) == [(1, "h y")]


def test_reader_of_a_past_state_joins_the_walk_of_that_state(tmp_path: Path) -> None:
    made = program(tmp_path, "h g", "y", RIGHT, LEFT, "y_t = K [h_{t-1}, g_t]")
    assert walks(made) == [(-1, "g"), (1, "h y")]


def test_states_that_need_past_and_future_of_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="would need both their past and their future"):
        program(tmp_path, "h g", "h", r"h_t = \tanh(W x_t + U g_{t-1})", r"g_t = V h_{t+1}")


def test_three_walks_compute_and_differentiate_what_is_printed(tmp_path: Path) -> None:
    made = program(tmp_path, "h g z", "z", RIGHT, LEFT, ABOVE)
    rng = np.random.default_rng(5)
    n, d, steps, batch = 2, 3, 4, 2
    sizes = {"n": n, "d": d}
    weights = {v.name: rng.standard_normal([s.size(sizes) for s in v.shape]) for v in made.parameters}
    x = rng.standard_normal((steps, batch, n))
    starts = {name: rng.standard_normal((batch, d)) for name in ("h", "g", "z")}
    seeds = rng.standard_normal((steps, batch, d))

    def run(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
        w = weights
        h, g, z = starts["h"], starts["g"], starts["z"]
        hs: list[np.ndarray] = []
        gs: list[np.ndarray] = []
        zs: list[np.ndarray] = []
        for t in range(steps):
            h = np.tanh(x[t] @ w["W"].T + h @ w["U"].T)
            hs.append(h)
        for t in reversed(range(steps)):
            g = np.tanh(x[t] @ w["W"].T + g @ w["V"].T)
            gs.insert(0, g)
        for t in range(steps):
            z = np.tanh(np.concatenate([hs[t], gs[t]], axis=-1) @ w["K"].T + z @ w["R"].T)
            zs.append(z)
        return np.array(zs)

    balls = BallArithmetic.of("float64")
    trajectory = evaluate(made, Values(weights, {"x": x}, starts, sizes), balls)
    exact = np.array([step["z"] for step in trajectory.steps], dtype=object)
    assert compare_with_balls("F-003", "z", exact, run(weights, x)).agrees

    plain = NumpyArithmetic()
    trajectory = evaluate(made, Values(weights, {"x": x}, starts, sizes), plain)
    zeros = {name: np.zeros((batch, d)) for name in starts}
    found = differentiate(derive(made), trajectory, {"z": seeds}, zeros, plain)
    derived = {**found.parameters, "x": np.array(found.inputs["x"])}
    for name, value in {**weights, "x": x}.items():
        direction = rng.standard_normal(value.shape)
        moved = {**weights, "x": x + 0j, name: value + 1j * COMPLEX_STEP * direction}
        slope = float(np.imag((run(moved, moved["x"]) * seeds).sum()) / COMPLEX_STEP)
        mass = float(np.abs(seeds).sum() * np.abs(direction).sum()) * (1 + abs(slope))
        assert abs(float((derived[name] * direction).sum()) - slope) <= COMPLEX_STEP_FLOOR * mass, name
