"""How the states and inputs of a program lie in those of a target: apart, or side by side in one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rnn_harness.specs import Spec
from rnn_harness.specs.dimensions import Dimension
from rnn_harness.specs.expression import Variable
from rnn_harness.specs.program import Program
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.identification.probe import Probe
from rnn_harness.validation.spec_search.numbers_of_its_own import with_numbers_as_constants
from rnn_harness.validation.spec_search.slots import MOST_SUMMED

MOST_STATES, MOST_LENGTHS, MOST_GATES = 4, 400, 4
"""States of a program; lengths of the named sizes that are tried; gates whose rows one axis may hold."""


@dataclass(frozen=True)
class Signature:
    """The sizes at which a program has the inputs and states of a target.

    Attributes:
        sizes: n and d of the program. Where states are joined, its d is not the target's.
        are_states_joined: Whether the target's one state holds all states of the program side by side.
    """

    sizes: Mapping[str, int]
    are_states_joined: bool

    def width(self, variable: Variable) -> int:
        """Return the length of a vector.

        Args:
            variable: An input, a state or an output.
        """
        return variable.shape[0].size(self.sizes) if variable.shape else 0


def are_joined(convention: CallingConvention, states: int) -> bool:
    """Say whether the one state of a step holds all states of a program.

    Args:
        convention: How the target is called.
        states: The number of states of the program.
    """
    return not convention.sequence and convention.states == 1 and states > 1


def read_signature(program: Program, probe: Probe) -> Signature | None:
    """Fit the sizes of a program to a target; None where it has other states or inputs than the target.

    Args:
        program: The program of a spec; nothing of it is run.
        probe: The target.
    """
    if not (program.states and program.inputs) or len(program.states) > MOST_STATES:
        return None
    if any(part.direction < 0 for part in program.passes):
        return None
    symbols = (*program.states, *program.inputs, *program.parameters, *program.outputs)
    if any(axis.symbols - {"n", "d"} for symbol in symbols for axis in symbol.shape):
        return None
    if any(len(variable.shape) != 1 for variable in (*program.states, *program.inputs, *program.outputs)):
        return None
    inputs, states = (tuple(variable.shape[0] for variable in group) for group in (program.inputs, program.states))
    sizes = _fitted_sizes(inputs, states, probe)
    if sizes is None:
        return None
    signature = Signature(sizes, are_joined(probe.convention, len(program.states)))
    return signature if _has_the_states(program, probe, signature) else None


def _fitted_sizes(inputs: tuple[Dimension, ...], states: tuple[Dimension, ...], probe: Probe) -> dict[str, int] | None:
    """Return n and d with which inputs and states of these lengths are a target's; None where there are none."""
    d: int | None = probe.sizes[1]
    if are_joined(probe.convention, len(states)):
        known = {}
        if any("n" in length.symbols for length in states):  # a state that is an input of the step before
            of_inputs = _solved(inputs, "n", probe.sizes[0], {})
            known = {} if of_inputs is None else {"n": of_inputs}
        d = _solved(states, "d", probe.sizes[1], known)
    n = None if d is None else _solved(inputs, "n", probe.sizes[0], {"d": d})
    return None if n is None or d is None else {"n": n, "d": d}


def _has_the_states(program: Program, probe: Probe, signature: Signature) -> bool:
    """Say whether the states and the output of a program are as wide and as many as those of a target."""
    d = signature.sizes["d"]
    if signature.width(program.outputs[0]) != d:
        return False
    if signature.are_states_joined:
        is_state = program.outputs[0].name in {state.name for state in program.states}
        return is_state or probe.convention.output_place is not None
    given, wanted = probe.convention.states, len(program.states)
    if any(signature.width(output) != d for output in program.outputs):
        return False
    as_wide = sum(signature.width(state) == d for state in program.states)
    return as_wide == wanted == given or (given < wanted and given <= as_wide and probe.convention.sequence)


def _solved(lengths: Sequence[Dimension], symbol: str, width: int, known: Mapping[str, int]) -> int | None:
    """Return the length of a named size with which vectors side by side have a width; None where there is none."""
    total = sum(lengths, Dimension())
    factor = dict(total.terms).get(symbol, 0)
    fixed = total.constant + sum(count * known.get(name, 0) for name, count in total.terms if name != symbol)
    if not factor:
        return (width if symbol == "n" else None) if fixed == width else None
    length, remainder = divmod(width - fixed, factor)
    return length if length >= 1 and not remainder else None


def with_lengths(spec: Spec, lengths: Mapping[str, int]) -> Spec:
    """Return a spec with other lengths of its named sizes.

    Args:
        spec: The spec; it is not changed.
        lengths: The lengths of all sizes that it declares, by name.
    """
    texts = {name: str(length) for name, length in lengths.items()}
    return replace(spec, model=spec.model.model_copy(update={"sizes": texts}))


def specs_of_lengths(spec: Spec, probe: Probe) -> Iterator[Spec]:
    """Yield a spec with every length of its named sizes that the shapes of a target's parameters suggest.

    Single numbers that the spec learns are constants where the target has none among its parameters.

    Args:
        spec: The spec; one that declares no sizes is yielded with the lengths that it has.
        probe: The target.
    """
    numbers = sum(not text.strip() for text in spec.model.parameters.values())
    # A short vector may be a bias too: then the numbers of the spec are constants.
    if any(value.ndim == 1 and 1 < value.size <= numbers for value in probe.parameters.values()):
        yield from _of_every_length(spec, probe)
    if not any(value.size == 1 for value in probe.parameters.values()):
        spec = with_numbers_as_constants(spec)
    yield from _of_every_length(spec, probe)


def _of_every_length(spec: Spec, probe: Probe) -> Iterator[Spec]:
    """Yield a spec with every length of its named sizes that the shapes of a target's parameters suggest."""
    names = tuple(spec.model.sizes)
    if not names:
        yield spec
        return
    axes = {length for value in probe.parameters.values() for length in value.shape}
    lengths = sorted({axis // gates for axis in axes for gates in range(1, MOST_GATES + 1) if axis % gates == 0})
    choices = itertools.product(lengths, repeat=len(names))
    for chosen in itertools.islice(choices, MOST_LENGTHS):
        candidate = with_lengths(spec, dict(zip(names, chosen, strict=True)))
        if _has_as_many_numbers(candidate, probe):
            yield candidate


def _has_as_many_numbers(spec: Spec, probe: Probe) -> bool:
    """Say whether a spec, of fixed lengths, may have a target's parameters: all its matrices, and its biases or not.

    The equations are not read for it, which takes a hundred times as long.
    """
    model = spec.model
    inputs, states = (tuple(model.shape(text)[0] for text in table.values()) for table in (model.inputs, model.states))
    sizes = _fitted_sizes(inputs, states, probe)
    if sizes is None:
        return False
    numbers = {0: 0, 1: 0, 2: 0}
    longest = 0
    for text in model.parameters.values():
        shape = tuple(axis.size(sizes) for axis in model.shape(text))
        numbers[len(shape)] += math.prod(shape)
        longest = max(longest, *shape, 0)
    total = sum(value.size for value in probe.parameters.values())
    has_spare = bool(probe.ignored or probe.constant)
    # A wrong cell may have a bias more.
    most = numbers[0] + MOST_SUMMED * numbers[1] + numbers[2] + longest
    return numbers[2] <= total and (has_spare or total <= most)
