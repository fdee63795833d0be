"""Runs of a spec's program on the numbers of a probe: with one choice of its parameters, or with many at once."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from rnn_harness.array_types import Array
from rnn_harness.specs.program import Program
from rnn_harness.validation.identification.probe import Probe, Response, close
from rnn_harness.validation.spec_search.interpret import Interpreter, ProgramValues
from rnn_harness.validation.spec_search.signature import Signature, read_signature
from rnn_harness.validation.spec_search.slot_map import SlotRole
from rnn_harness.validation.spec_search.spec_pieces import SpecPiece, empty_parameters, spec_pieces
from rnn_harness.validation.spec_search.stacked_runs import StackedArithmetic, agreements

Roles = Mapping[int, SlotRole]
"""The roles of slots by their numbers in the layout."""


class ProgramRuns:
    """Runs of a program on the numbers of a probe.

    Attributes:
        program: The program of a spec, or a rewrite of it.
        pieces: The pieces of its parameters.
        order: The names of its states in the target's order.
        sizes: The named sizes.
        count: Runs so far.
        states: The initial states by name.

    Args:
        program: The program of a spec, or a rewrite of it.
        probe: The target's runs, whose numbers are taken.
        order: The names of its states in the target's order.
        pieces: The pieces of its parameters; they are cut anew where there are none.
        signature: How its states and inputs lie in the target's; it is read anew where there is none.
    """

    def __init__(
        self,
        program: Program,
        probe: Probe,
        order: tuple[str, ...],
        pieces: tuple[SpecPiece, ...] = (),
        signature: Signature | None = None,
    ) -> None:
        self.program, self.probe, self.order = program, probe, order
        signature = signature or read_signature(program, probe)
        assert signature is not None, "a program is run whose states and inputs are the target's"
        self.sizes, self._are_joined = dict(signature.sizes), signature.are_states_joined
        self.pieces = pieces or spec_pieces(program)
        self.count = 0
        self._interpreter = Interpreter(StackedArithmetic())
        self._input_ends = _ends([signature.width(variable) for variable in program.inputs])
        rows, widths = len(probe.states[0]), {state.name: signature.width(state) for state in program.states}
        self._shapes = {name: (rows, width) for name, width in widths.items()}
        self._shapes |= {variable.name: (rows, signature.width(variable)) for variable in program.outputs}
        self.states = self._states_in(order)

    def _states_in(self, order: tuple[str, ...]) -> dict[str, Array]:
        """The initial states by name: those of the probe, in an order; zero where it has none."""
        given = self.probe.states[: self.probe.convention.states]
        if self._are_joined:
            widths = [self._shapes[name][1] for name in order]
            given = tuple(np.split(self.probe.states[0], _ends(widths), axis=1))
        zeros = {name: np.zeros(self._shapes[name]) for name in order}
        return zeros | dict(zip(order, given, strict=False))

    def in_order(self, order: tuple[str, ...]) -> ProgramRuns:
        """Return runs of the same program with its states in another order.

        Args:
            order: The names of its states in the target's order.
        """
        runs = copy.copy(self)
        runs.order = order
        runs.states = self._states_in(order)
        return runs

    @functools.cached_property
    def sized_pieces(self) -> list[tuple[SpecPiece, tuple[int, ...]]]:
        """The pieces with their shapes in numbers."""
        return [(piece, piece.size(self.sizes)) for piece in self.pieces]

    @functools.cached_property
    def _empty(self) -> dict[str, Array]:
        """The parameters of the program, all zero."""
        return empty_parameters(self.program, self.sizes)

    def parameters(self, values: list[Array], roles: Roles) -> dict[str, Array]:
        """Put the slots of these roles in the place of the spec's parameters, the others zero.

        Args:
            values: The numbers of every slot of the target, by the slot's number.
            roles: The slots that are used, with the piece that each of them is.
        """
        parameters = {name: value.copy() for name, value in self._empty.items()}
        for number, role in roles.items():
            value = values[number]
            for piece in role.pieces:
                view = piece.view(parameters[piece.parameter], self.sizes)
                view += value.T if role.flipped else value
        return parameters

    def respond(self, parameters: Mapping[str, Array], steps: int) -> Response:
        """Run the program.

        Args:
            parameters: By the spec's names.
            steps: Time steps.
        """
        outputs, finals = self._stacked_response(parameters, steps, 1)
        return Response((outputs[0],), tuple(value[0] for value in finals))

    def fitting(
        self, target: Response, values: list[Array], known: Roles, choices: Sequence[Roles], steps: int
    ) -> list[Roles]:
        """Return the choices of roles beside known ones with which the program gives what the target gives.

        All of them are one run: a parameter that they choose has a leading axis.

        Args:
            target: What the target gave with the slots of `known` and of a choice; these are the same in all choices.
            values: The numbers of every slot of the target, by the slot's number.
            known: Roles of slots that all choices have.
            choices: The roles of further slots.
            steps: Time steps of the target's run.
        """
        pairs = self.stacked_pairs(target, self._choices(values, known, choices), steps, len(choices))
        fits = np.full(len(choices), bool(pairs))
        for given, predicted in pairs:
            if given.shape != predicted.shape[1:]:
                return []
            fits &= agreements(given, predicted, self.probe.tolerance)
        return [choice for choice, is_fitting in zip(choices, fits, strict=True) if is_fitting]

    def beginning_alike(self, orders: Sequence[ProgramRuns], target: Response, steps: int) -> list[ProgramRuns]:
        """Return the runs of one program that give what a target gives where all parameters are zero.

        All of them are one run: a state has a leading axis.

        Args:
            orders: Runs of this program with its states in several orders.
            target: What the target gave with all parameters zero.
            steps: Time steps of the target's run.
        """
        states = {name: np.stack([runs.states[name] for runs in orders]) for name in self.states}
        values = self._run(self._empty, steps, states)
        predicted = (runs.response_of(values, len(orders), place) for place, runs in enumerate(orders))
        return [runs for runs, response in zip(orders, predicted, strict=True) if runs.agree(target, response)]

    def response_of(self, values: ProgramValues[Array], runs: int, place: int) -> Response:
        """Return what one of many runs gives, with the states in the target's order.

        Args:
            values: What the program computed, with an axis of the runs.
            runs: Their number.
            place: Which of them.
        """
        names = {*self.order, self.program.outputs[0].name}

        def of_place(step: Mapping[str, Array]) -> dict[str, Array]:
            """What one run computes; what is the same in all has no axis of the runs, or one of length one."""
            given = ((name, np.broadcast_to(step[name], (runs, *self._shapes[name]))[place]) for name in names)
            return {name: value[np.newaxis] for name, value in given}

        steps = [of_place(step) for step in values.steps]
        finals = {name: steps[-1][name] for name in self.order} if steps else values.finals
        outputs, ends = self._in_the_order(ProgramValues(steps, finals), 1)
        return Response((outputs[0],), tuple(end[0] for end in ends))

    def stacked_pairs(
        self, target: Response, parameters: Mapping[str, Array], steps: int, runs: int
    ) -> list[tuple[Array, Array]]:
        """List what a target gives with what many runs of the program give in its place.

        Args:
            target: What the target gave.
            parameters: By the spec's names; a matrix with a leading axis R, and a vector or a number with axes R and 1,
                has values of its own in every run.
            steps: Time steps.
            runs: Their number R.
        """
        outputs, finals = self._stacked_response(parameters, steps, runs)
        shown = self.shown(target)
        return [*([] if shown is None else [(shown, outputs)]), *zip(target.finals, finals, strict=False)]

    def _choices(self, values: list[Array], known: Roles, choices: Sequence[Roles]) -> dict[str, Array]:
        """Put many choices of roles in the place of the spec's parameters: those that they choose get an axis R."""
        parameters = self.parameters(values, known)
        chosen = [role for choice in choices for role in choice.values()]
        for name in {piece.parameter for role in chosen for piece in role.pieces}:
            stack = np.repeat(parameters[name][np.newaxis, ...], len(choices), axis=0)
            for place, choice in enumerate(choices):
                for number, role in choice.items():
                    for piece in (piece for piece in role.pieces if piece.parameter == name):
                        view = piece.view(stack[place, ...], self.sizes)
                        view += values[number].T if role.flipped else values[number]
            # The rows of a batch stand between the axis of the runs and the entries of a vector.
            parameters[name] = stack if stack.ndim == 3 else stack.reshape(len(choices), 1, -1)
        return parameters

    def _stacked_response(
        self, parameters: Mapping[str, Array], steps: int, runs: int
    ) -> tuple[Array, tuple[Array, ...]]:
        """Run the program: outputs (R, T, B, d), and the final states in the target's order, each (R, B, d)."""
        values = self._run(parameters, steps, self.states)
        return self._in_the_order(values, runs)

    def _in_the_order(self, values: ProgramValues[Array], runs: int) -> tuple[Array, tuple[Array, ...]]:
        """Return outputs (R, T, B, d), and the final states in the target's order, each (R, B, d)."""
        output = self.program.outputs[0].name
        if self._are_joined and output in self.order:
            joined = np.stack([self._side_by_side(step, runs) for step in values.steps], axis=1)
            return joined, (joined[:, -1],)
        shape = (runs, *self._shapes[output])
        outputs = np.stack([np.broadcast_to(step[output], shape) for step in values.steps], axis=1)
        finals = (self._side_by_side(values.steps[-1], runs),) if self._are_joined else self._finals(values, runs)
        return outputs, finals

    def _run(self, parameters: Mapping[str, Array], steps: int, states: Mapping[str, Array]) -> ProgramValues[Array]:
        """Compute every symbol at every step from the inputs of the probe."""
        self.count += 1
        names = [variable.name for variable in self.program.inputs]
        inputs = [
            dict(zip(names, np.split(x, self._input_ends, axis=1), strict=True)) for x in self.probe.inputs[:steps]
        ]
        with np.errstate(all="ignore"):
            return self._interpreter.run(self.program, parameters, inputs, states)

    def _finals(self, values: ProgramValues[Array], runs: int) -> tuple[Array, ...]:
        """Return the final states in the target's order."""
        return tuple(np.broadcast_to(values.finals[name], (runs, *self._shapes[name])) for name in self.order)

    def _side_by_side(self, step: Mapping[str, Array], runs: int) -> Array:
        """Put the new states of a step beside one another, as the target has them."""
        shapes = {name: (runs, *self._shapes[name]) for name in self.order}
        return np.concatenate([np.broadcast_to(step[name], shapes[name]) for name in self.order], axis=-1)

    def agree(self, target: Response, predicted: Response) -> bool:
        """Say whether a target gives what the program gives; what the target does not show is not compared.

        Args:
            target: What the target gave.
            predicted: What the program gave, over as many steps.
        """
        pairs, tolerance = self.pairs(target, predicted), self.probe.tolerance
        return bool(pairs) and all(a.shape == b.shape and close(a, b, tolerance) for a, b in pairs)

    def pairs(self, target: Response, predicted: Response) -> list[tuple[Array, Array]]:
        """List what a target gives with what the program gives in its place.

        Args:
            target: What the target gave.
            predicted: What the program gave, over as many steps.
        """
        shown = self.shown(target)
        pairs = [] if shown is None else [(shown, predicted.outputs[0])]
        return [*pairs, *zip(target.finals, predicted.finals, strict=False)]

    def shown(self, target: Response) -> Array | None:
        """Return the outputs of a target; None if it does not give back what the program's output is.

        Args:
            target: What the target gave.
        """
        output = self.program.outputs[0].name
        if self.probe.convention.sequence or (self._are_joined and output in self.order):
            return target.outputs[0]
        return target.outputs[self.order.index(output)] if output in self.order else target.shown


def _ends(widths: Sequence[int]) -> list[int]:
    """Return where vectors side by side end, without the last of them."""
    return list(itertools.accumulate(widths))[:-1]
