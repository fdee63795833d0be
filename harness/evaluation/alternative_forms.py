"""The ways in which an implementation may compute a spec: as printed, or by an alternative equation of the same spec.

Two forms of one quantity round differently, so a bound proved for one says nothing of the other: what a kernel is held
to is the wider of the bounds of the forms that it is known to use. That the forms are equal is checked elsewhere.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from flint import arb

from rnn_harness.arithmetic import Trajectory
from rnn_harness.array_types import Array
from rnn_harness.errors import UsageError
from rnn_harness.specs import Spec
from rnn_harness.specs.program import Program
from rnn_harness.subjects.subject import LAYERS


def program_by(spec: Spec, alternatives: tuple[str, ...]) -> Program:
    """Return the spec's program with alternative equations in place of those with the same targets.

    Args:
        spec: the spec.
        alternatives: ids of its alternative equations.

    Raises:
        UsageError: an id is no alternative of the spec.
    """
    model = spec.model
    chosen = {equation.id for equation in model.equations if equation.alternative and equation.id in alternatives}
    if missing := set(alternatives) - chosen:
        raise UsageError(f"{', '.join(sorted(missing))} is no alternative equation of {spec.id}")
    targets = {part.target.name for name in chosen for part in spec.assignment(name)}
    equations = []
    for equation in model.equations:
        if equation.id in chosen:
            equations.append(equation.model_copy(update={"alternative": False}))
        elif not equation.alternative and {part.target.name for part in spec.assignment(equation.id)} <= targets:
            equations.append(equation.model_copy(update={"alternative": True}))
        else:
            equations.append(equation)
    changed = replace(spec, model=model.model_copy(update={"equations": tuple(equations)}))
    return Spec.program.__wrapped__(changed, LAYERS)


@functools.cache
def forms(spec: Spec, alternatives: tuple[str, ...]) -> tuple[Program, ...]:
    """Return the printed program, and those with the alternatives.

    Alternatives of different equations are taken together; those of one equation exclude each other, so that every one
    of them has a program.

    Args:
        spec: the spec.
        alternatives: ids of its alternative equations.

    Args:
        spec: the spec.
        alternatives: ids of its alternative equations; all of them go into the second program together.

    Returns:
        The printed program first; programs of one spec and the same ids are built once.

    Raises:
        UsageError: an id is no alternative of the spec.
    """
    by_target: dict[frozenset[str], list[str]] = {}
    for name in alternatives:
        targets = frozenset(part.target.name for part in spec.assignment(name))
        by_target.setdefault(targets, []).append(name)
    choices = itertools.product(*by_target.values()) if by_target else ()
    return (spec.program(LAYERS), *(program_by(spec, chosen) for chosen in choices))


_wider = np.frompyfunc(lambda a, b: a if arb(a.rad()) >= arb(b.rad()) else b, 2, 1)


def widest(balls: Sequence[Array]) -> Array:
    """Return, entry by entry, the ball with the largest radius; their midpoints are the same true value.

    Args:
        balls: arrays of balls, of equal shape; none of them is changed.
    """
    return functools.reduce(lambda a, b: np.asarray(_wider(a, b), dtype=object), balls)


def widest_trajectory(trajectories: Sequence[Trajectory[Array]]) -> Trajectory[Array]:
    """Return a new trajectory with the values of the first one, every ball as wide as the widest of all.

    Args:
        trajectories: those of the forms of one spec on the same numbers; none of them is changed.
    """
    first = trajectories[0]
    if len(trajectories) == 1:
        return first
    steps = tuple(
        MappingProxyType({name: widest([step[name] for step in at]) for name in at[0]})
        for at in zip(*(trajectory.steps for trajectory in trajectories), strict=True)
    )
    return replace(first, steps=steps)
