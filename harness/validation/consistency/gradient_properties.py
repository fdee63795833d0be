"""Properties of gradients: they are slopes of the target itself, add up, and do not depend on other calls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from rnn_harness.arithmetic.assumptions import COMPLEX_STEP, CONDITION_STEP, STRUCTURAL
from rnn_harness.errors import NotRun, first_line
from rnn_harness.validation.consistency.consistency_property import Draw, Note, Property, Violation, relative_gap
from rnn_harness.validation.consistency.difference_quotients import (
    ComplexPath,
    Path,
    Slope,
    complex_step_slopes,
    has_jumps,
    loses_a_little_step,
    middle_entry,
    random_like,
    slopes,
)
from rnn_harness.validation.consistency.driven_cell import INPUTS, CellArguments, DrivenCell

STEPS, ROWS = 4, 3


def moved(
    cell: DrivenCell, arguments: CellArguments, name: str, change: Tensor
) -> tuple[CellArguments, dict[str, Tensor]]:
    """Add a change to one of the leaves.

    Args:
        cell: The cell, of which the parameters are taken.
        arguments: The inputs and states, of which copies are returned.
        name: The name of the leaf among `DrivenCell.leaves`.
        change: What is added to it.

    Returns:
        The arguments and the parameters.
    """
    parameters = dict(cell.parameters)
    if name in parameters:
        parameters[name] = parameters[name] + change
        return arguments, parameters
    if name == INPUTS:
        return replace(arguments, inputs=arguments.inputs + change), parameters
    states = tuple(
        state + change if name == f"the given {cell.state_name(k)}" else state
        for k, state in enumerate(arguments.states)
    )
    return replace(arguments, states=states), parameters


def path_of(cell: DrivenCell, arguments: CellArguments, name: str, direction: Tensor) -> Path:
    """Make the path on which one leaf moves in a direction.

    Args:
        cell: The cell that is run.
        arguments: Where the path starts.
        name: The leaf that moves: the inputs, a given state, or a parameter.
        direction: In the shape of the leaf.

    Returns:
        A function of the distance along the direction, which gives the tensors of a run.
    """

    def path(distance: float) -> tuple[Tensor, ...]:
        changed, parameters = moved(cell, arguments, name, distance * direction)
        return cell.run(changed, parameters).tensors

    return path


def _quotients(draw: Draw) -> Violation | Note | None:
    """Compare the gradient of every leaf, through every result alone, with difference quotients of the target.

    One step comes first: over several, what is wrong in one gradient spreads to the others.
    """
    for steps in (1, STEPS):
        result = compare_with_quotients(draw.cell, draw.arguments(steps, ROWS), draw.seed)
        if isinstance(result, Violation):
            return result
    return None


def compare_with_quotients(
    cell: DrivenCell, arguments: CellArguments, seed: int, where: str = ""
) -> Violation | Note | None:
    """Compare gradients with difference quotients of the target itself.

    Args:
        cell: The cell whose own slopes are measured.
        arguments: The inputs and states at which they are compared.
        seed: The seed of the directions and cotangents.
        where: The circumstance, for sentences.

    Raises:
        NotRun: It has no gradients, or is no smooth function.
    """
    leaves = cell.leaves(arguments)
    run = cell.connected_run(leaves.arguments, leaves.parameters)
    names, cotangents = cell.result_names(run), random_like([value.detach() for value in run.tensors], seed + 1)
    gradients = [
        cell.pull_back(leaves, run, [cotangent if i == k else None for i, cotangent in enumerate(cotangents)])
        for k in range(len(cotangents))
    ]
    directions = dict(
        zip(leaves.by_name, random_like([leaf.detach() for leaf in leaves.by_name.values()], seed + 2), strict=True)
    )
    wrong: dict[str, list[str]] = {}
    lost: dict[str, list[str]] = {}
    for name, direction in directions.items():
        path = path_of(cell, arguments, name, direction)
        for k, slope in enumerate(slopes(path, cotangents, cell.arithmetic)):
            gradient = gradients[k][name]
            if not _contradicts(gradient, direction, slope, cell.arithmetic):
                continue
            of_entry = path_of(cell, arguments, name, middle_entry(leaves.by_name[name]))
            if has_jumps(path, cotangents, cell.arithmetic) or loses_a_little_step(of_entry, cell.arithmetic):
                raise NotRun("its results jump (rounded weights?), so there is no slope to compare its gradients with")
            wrong.setdefault(names[k], []).append(name)
            if not gradient.any():
                lost.setdefault(names[k], []).append(name)
    return _describe(wrong, lost, directions, where)


def _contradicts(gradient: Tensor, direction: Tensor, slope: Slope, dtype: str) -> bool:
    """Say whether a gradient is not the slope, by more than what is unknown of both."""
    products = gradient.double() * direction.double()
    allowed = slope.error + STRUCTURAL[dtype] * (float(products.abs().sum()) + abs(slope.value))
    return not abs(float(products.sum()) - slope.value) <= allowed


def _describe(
    wrong: Mapping[str, list[str]], lost: Mapping[str, list[str]], leaves: Mapping[str, Tensor], where: str
) -> Violation | None:
    """Put wrong gradients into words: by the result that the gradient comes through, and what it is taken of."""
    if not wrong:
        return None
    suffix = f", {where}" if where else ""
    for result, names in lost.items():
        if names == wrong[result] and len(wrong) == 1:
            reached = (
                "nothing" if len(names) == len(leaves) else ", ".join(name for name in leaves if name not in names)
            )
            sentence = f"the gradient of {result} is lost: it arrives at {reached}, though {result} {_verb(result)} on "
            sentence += ", ".join(names)
            return Violation(f"backward{suffix}: {result}", sentence)
    affected = dict.fromkeys(name for names in wrong.values() for name in names)
    through = "" if len(wrong) > 1 else f" through {next(iter(wrong))}"
    right = [name for name in leaves if name not in affected]
    sentence = f"the gradients of {', '.join(affected)}{through} are not the slopes of its own results"
    sentence += f"; those of {', '.join(right)} are" if right else ""
    return Violation(f"backward{suffix}", sentence)


def _verb(result: str) -> str:
    return "depend" if result == "the outputs" or result.endswith("steps") else "depends"


def _cotangents_add_up(draw: Draw) -> Violation | None:
    """Differentiate every result alone and all of them together: the sum's gradient is the sum of gradients."""
    cell, arguments = draw.cell, draw.arguments(STEPS, ROWS)
    run = cell.run(arguments)
    cotangents = random_like(run.tensors, draw.seed + 1)
    if len(cotangents) < 2:
        raise NotRun("only one thing comes back")
    together = cell.gradients(arguments, cotangents)
    alone = [
        cell.gradients(arguments, [cotangent if i == k else None for i, cotangent in enumerate(cotangents)])
        for k in range(len(cotangents))
    ]
    twice = cell.gradients(arguments, [2 * cotangent for cotangent in cotangents])
    scales = {
        name: sum(float(gradients[name].abs().max()) for gradients in alone if gradients[name].numel())
        for name in together
    }
    # What is zero by its formula, as that of a bias before a softmax, is what rounding leaves of the others' size.
    rounding = CONDITION_STEP[cell.arithmetic] * max(scales.values(), default=0.0)
    for name, gradient in together.items():
        parts, scale = [gradients[name] for gradients in alone], scales[name]
        gap = float((sum(parts[1:], parts[0]) - gradient).abs().max()) if gradient.numel() else 0.0
        if not gap <= max(STRUCTURAL[cell.arithmetic] * scale, rounding):
            results = " and ".join(cell.result_names(run))
            return Violation(
                "backward", f"the gradient of {name} through {results} together is not the sum of those through each"
            )
        if relative_gap(twice[name], 2 * gradient) > STRUCTURAL[cell.arithmetic]:
            return Violation("backward", f"twice the output gradients do not give twice the gradient of {name}")
    return None


def _final_state_gradients(draw: Draw) -> Violation | None:
    """Differentiate each final state of a layer alone: a gradient that is zero everywhere is lost."""
    cell, arguments = draw.cell, draw.arguments(STEPS, ROWS)
    run = cell.run(arguments)
    if not run.finals:
        raise NotRun("no final states come back next to its outputs")
    shifted = cell.run(arguments.shifted(0, 0))
    cotangents: list[Tensor | None] = [None] * len(run.tensors)
    for index, (final, other) in enumerate(zip(run.finals, shifted.finals, strict=True)):
        place = len(run.outputs) + index
        alone = [*cotangents[:place], torch.ones_like(final), *cotangents[place + 1 :]]
        depends = relative_gap(other, final) > STRUCTURAL[cell.arithmetic]
        if depends and not any(bool(gradient.any()) for gradient in cell.gradients(arguments, alone).values()):
            name = cell.result_names(run)[place]
            sentence = f"the gradient of {name} is lost: nothing of what comes through it arrives anywhere"
            return Violation(f"backward: {name}", sentence)
    return None


def _two_calls(draw: Draw) -> Violation | None:
    """Call it twice before one backward: the gradients of the first call must not depend on the second."""
    cell, arguments = draw.cell, draw.arguments(STEPS, ROWS)
    if not cell.is_torch:
        raise NotRun("its library takes gradients in its own way")
    cotangents = random_like(cell.run(arguments).tensors, draw.seed + 1)
    expected = cell.gradients(arguments, cotangents)
    leaves = cell.leaves(arguments)
    run = cell.connected_run(leaves.arguments, leaves.parameters)
    other = cell.leaves(cell.arguments(STEPS, ROWS, draw.seed + 50))
    cell.connected_run(other.arguments, other.parameters)
    computed = cell.pull_back(leaves, run, cotangents)
    wrong = [name for name in expected if relative_gap(computed[name], expected[name]) > STRUCTURAL[cell.arithmetic]]
    if wrong:
        sentence = f"another call before the backward changes the gradients of {', '.join(wrong)}"
        return Violation("backward: two calls", f"{sentence}: what the first call left for it is overwritten")
    return None


def _complex_steps(draw: Draw) -> Note | None:
    """Compare with steps into the complex numbers, where the target runs in them: they see the last digits."""
    cell, arguments = draw.cell, draw.arguments(STEPS, ROWS)
    if cell.arithmetic != "float64" or not cell.is_torch:
        raise NotRun("it does not run in complex numbers")
    run = cell.run(arguments)
    cotangents = random_like(run.tensors, draw.seed + 1)
    gradients = cell.gradients(arguments, cotangents)
    worst = 0.0
    for name, gradient in gradients.items():
        (direction,) = random_like([gradient], draw.seed + 2)
        try:
            slope = sum(complex_step_slopes(_complex_path(cell, arguments, name, direction), cotangents, COMPLEX_STEP))
        except Exception as error:  # most of torch's own cells do not take complex numbers
            raise NotRun(f"it does not run in complex numbers: {first_line(error)[:100]}") from None
        products = gradient * direction
        scale = float(products.abs().sum())
        worst = max(worst, abs(float(products.sum()) - slope) / scale if scale else 0.0)
    if not worst <= STRUCTURAL[cell.arithmetic]:
        raise NotRun("its functions are others for complex numbers (an absolute value, say)")
    return Note(f"its gradients agree with complex steps to {-math.log2(worst) if worst else 53:.0f} bits")


def _complex_path(cell: DrivenCell, arguments: CellArguments, name: str, direction: Tensor) -> ComplexPath:
    """Make the path on which one leaf moves in a direction, in complex numbers."""

    def path(distance: complex) -> tuple[Tensor, ...]:
        changed, parameters = moved(cell, arguments, name, distance * direction)
        inputs, *states = (value.to(torch.complex128) for value in (changed.inputs, *changed.states))
        return cell.run(
            CellArguments(inputs, tuple(states)),
            {key: value.to(torch.complex128) for key, value in parameters.items()},
        ).tensors

    return path


GRADIENT_PROPERTIES = (
    Property("final-state-gradients", _final_state_gradients, for_identified=True),
    Property("gradients-add-up", _cotangents_add_up, in_every_dtype=True),
    Property("difference-quotients", _quotients),
    Property("complex-steps", _complex_steps, draws=1),
    Property("two-calls-one-backward", _two_calls),
)
