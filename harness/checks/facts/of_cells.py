"""Facts of the specs' structure: gates, states and sizes, counted in the equations as printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_harness.checks.facts.fact import Answer, Fact
from rnn_harness.references import get_reference
from rnn_harness.specs import library
from rnn_harness.specs.expression import Apply, Function, Role, variables, walk
from rnn_harness.specs.program import Program


def _program(spec: str) -> Program:
    return library().spec(spec).program()


def _gates(program: Program) -> int:
    """Count the sigmoids of a step."""
    nodes = (node for step in program.assignments for node in walk(step.expression))
    return sum(isinstance(node, Apply) and node.function is Function.SIGMOID for node in nodes)


def _one_state_is_the_output(spec: str) -> Answer:
    program = _program(spec)
    states, outputs = ([v.name for v in part] for part in (program.states, program.outputs))
    detail = f"states {', '.join(states)}; output {', '.join(outputs)}; {_gates(program)} gates"
    return Answer(len(states) == 1 and states == outputs and _gates(program) == 2, detail)


def _gates_and_states(pair: tuple[str, str]) -> Answer:
    gru, lstm = (_program(spec) for spec in pair)
    counts = (_gates(gru), _gates(lstm), len(gru.states), len(lstm.states))
    detail = "gates {} and {}, states {} and {}".format(*counts)
    return Answer(counts == (2, 3, 1, 2), detail)


def _memory_and_gates_are_added(pair: tuple[str, str]) -> Answer:
    rnn, lstm = (_program(spec) for spec in pair)
    counts = (len(rnn.states), _gates(rnn), len(lstm.states), _gates(lstm))
    detail = "states and gates: {} and {} (RNN), {} and {} (LSTM)".format(*counts)
    return Answer(counts == (1, 0, 2, 3), detail)


def _all_but_the_input_have_one_size(spec: str) -> Answer:
    program = _program(spec)
    shapes = {step.target.shape for step in program.assignments} | {state.shape for state in program.states}
    inputs = {variable.shape for variable in program.inputs}
    return Answer(len(shapes) == 1 and not inputs & shapes, f"{len(shapes)} shape of gates, candidate and state")


def _order_of_computation(spec: str) -> Answer:
    program = _program(spec)
    needs = {
        step.target.name: {v.name for v in variables(step.expression) if v.time == 0 and v.role is not Role.INPUT}
        for step in program.assignments
    }
    computed = set(needs)
    before = {name: sorted(used & computed) for name, used in needs.items()}
    state = program.states[0].name
    candidates = [name for name, used in before.items() if used and name != state]
    gates = [name for name, used in before.items() if not used]
    is_so = len(candidates) == 1 and len(gates) == 2 and len(before[candidates[0]]) == 1 and len(before[state]) == 2
    detail = "; ".join(f"{name} needs {', '.join(used) or 'none of the others'}" for name, used in before.items())
    return Answer(is_so, detail)


def _gate_acts_on_the_output(place: tuple[str, str]) -> Answer:
    """Whether a gate of a spec is used for the output, and for nothing else."""
    spec, gate = place
    program = _program(spec)
    outputs = {variable.name for variable in program.outputs}
    users = [step.target.name for step in program.assignments if gate in {v.name for v in variables(step.expression)}]
    hidden = {state.name for state in program.states if state.name in outputs}
    detail = f"in {spec} {gate} is used for {', '.join(users) or 'nothing'}; the output is {', '.join(sorted(outputs))}"
    return Answer(bool(users) and set(users) <= hidden and _is_last(program, users[0]), detail)


def _is_last(program: Program, target: str) -> bool:
    """Whether no other equation of the step reads what an equation gives."""
    return not any(
        target in {v.name for v in variables(step.expression) if v.time == 0} for step in program.assignments
    )


def _units_of_a_state(sizes: tuple[int, int]) -> Answer:
    """Whether a GRU whose state has so many numbers has so many units in each gate."""
    numbers, units = sizes
    shapes = get_reference("gru").parameter_shapes(3, numbers)
    rows = {shapes[f"b_{gate}"][0] for gate in "rzg"}
    return Answer(rows == {units}, f"a state of {numbers} numbers: gates of {', '.join(map(str, rows))} units")


def _networks_differ_in_units(sizes: Sequence[int]) -> Answer:
    """Whether networks of these hidden sizes are all accepted, and do not all have one number of units."""
    units = {get_reference("gru").parameter_shapes(3, size)["W_hr"][0] for size in sizes}
    return Answer(len(units) > 1, f"networks of {', '.join(map(str, sorted(units)))} units")


def facts_of_cells() -> tuple[Fact[Any], ...]:
    """Return the facts of the specs' structure."""
    rows: tuple[Fact[Any], ...] = (
        Fact("one-state-is-the-output", _one_state_is_the_output, "gru.keep.column", "lstm.column"),
        Fact("gates-and-states", _gates_and_states, ("gru.keep.column", "lstm.column"), ("lstm.column",) * 2),
        Fact("memory-and-gates", _memory_and_gates_are_added, ("rnn.tanh", "lstm.column"), ("rnn.tanh",) * 2),
        Fact("one-size-but-the-input", _all_but_the_input_have_one_size, "gru.write.concatenated", "lstm.projected"),
        Fact("order-of-computation", _order_of_computation, "gru.write.concatenated", "lstm.column"),
        Fact("gate-o-acts-on-the-output", _gate_acts_on_the_output, ("lstm.sigma", "o"), ("gru.sigma", "o")),
        Fact("units-of-a-state", _units_of_a_state, (4, 4), (4, 3)),
        Fact("networks-differ-in-units", _networks_differ_in_units, (2, 4), (4, 4)),
    )
    return rows
