"""The spec that a worker says to hold a candidate against, as the process that waits has it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rnn_harness.specs import Spec, SpecError, library, literature, load_spec
from rnn_harness.validation.cells.cell_model import CellModel
from rnn_harness.validation.judging.generated_spec import generate_spec, with_alternative_updates
from rnn_harness.validation.judging.own_specs import of_its_states
from rnn_harness.validation.request import ValidationRequest
from rnn_harness.validation.returned_numbers import NumbersReturned


class Contradiction(Exception):
    """What a worker said of a candidate, and the numbers that it returned, do not go together."""


def trusted_spec(numbers: NumbersReturned, request: ValidationRequest) -> Spec:
    """Return the spec that a worker names, as this process has it.

    Args:
        numbers: What came back, with the spec.
        request: What was asked for.

    Raises:
        Contradiction: This process knows no such spec, or it is another than the one that was asked for.
    """
    from rnn_harness.validation.spec_search.numbers_of_its_own import with_numbers_as_constants

    possible = (
        variant
        for spec in _possible_specs(numbers, request)
        for known in dict.fromkeys((spec, with_numbers_as_constants(spec)))
        for variant in _with_roots_of(numbers, known, request)
    )
    for spec in possible:
        open_values = {"constants": numbers.spec.constants, "sizes": numbers.spec.sizes}
        for field, values in open_values.items():
            known = spec.model.constants if field == "constants" else spec.model.sizes
            if known.keys() == values.keys():
                spec = replace(spec, model=spec.model.model_copy(update={field: values}))
        if spec.model == numbers.spec and spec.used == numbers.used:
            return spec
    raise Contradiction(f"they are held against {numbers.spec.id!r}, which is not what this process knows by that name")


def _with_roots_of(numbers: NumbersReturned, spec: Spec, request: ValidationRequest) -> Iterator[Spec]:
    """Yield a spec, and with the constant below the roots of its normalisations that a worker has found, if it has."""
    yield spec
    if numbers.spec.constants.keys() - spec.model.constants.keys():
        from rnn_harness.validation.spec_search import constant_below_root  # only here torch is needed

        kept_ones = (False, True) if request.spec == "auto" else (True,)  # what was asked for holds as it is printed
        for value in constant_below_root.VALUES:
            if str(value) == numbers.spec.constants.get(constant_below_root.NAME):
                variants = (constant_below_root.with_constant_below_root(spec, value, kept) for kept in kept_ones)
                yield from (variant for variant in variants if variant is not None)


def _possible_specs(numbers: NumbersReturned, request: ValidationRequest) -> Iterator[Spec]:
    """Yield the specs that a candidate may be held against. Raises Contradiction."""
    if request.spec.endswith(".toml"):
        try:
            spec = load_spec(Path(request.spec), library().specs)
            yield replace(spec, model=spec.model.model_copy(update={"reference": None}))
        except SpecError as error:
            raise Contradiction(f"the spec file cannot be read any more: {error}") from None
        return
    if request.spec not in ("auto", numbers.spec.id) and numbers.generated is None:
        raise Contradiction(f"they are held against {numbers.spec.id}, and {request.spec} was asked for")
    if numbers.generated is not None:
        try:
            yield generate_spec(numbers.generated.model, frozenset(numbers.generated.names))
        except (ValueError, KeyError, SpecError) as error:
            raise Contradiction(f"the cell that they are held against is none: {error}") from None
        return
    for spec in (*library().specs, *literature()):
        if spec.id == numbers.spec.id:
            yield spec
            if spec.reference is not None and "update_gate" in spec.reference.trace.values():
                updates = ("keep", "write")
                yield from (with_alternative_updates(spec, CellModel("gru", update=update)) for update in updates)
            if spec.is_cell:
                # only here torch is needed
                from rnn_harness.validation.spec_search.complements import complemented_specs
                from rnn_harness.validation.spec_search.constants import offset_specs

                joined = of_its_states(spec)  # as states that lie side by side have it
                yield joined
                yield from offset_specs(joined)
                yield from offset_specs(spec)
                yield from complemented_specs(spec)
