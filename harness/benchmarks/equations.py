"""Specs that are measured by their equations alone: those of the literature, of a file, and any without a reference."""

from __future__ import annotations

import functools

from rnn_harness.comparison.spec_module import named_spec
from rnn_harness.errors import UsageError
from rnn_harness.kernels import Kernel
from rnn_harness.kernels.drivers.equations import EquationsDriver
from rnn_harness.kernels.setting import settings
from rnn_harness.specs import Spec, library
from rnn_harness.validation.judging.spec_file import has_equal_sizes
from rnn_harness.validation.spec_search.interpret import is_forward_step

_DTYPES = ("float32", "float64")
_EQUAL_SIZES = {"n": 4, "d": 4, "B": 2}


@functools.cache
def measured_spec(name: str) -> Spec:
    """Return the spec that a benchmark measures: with its reference where a shipped one has one.

    Args:
        name: The id of a shipped spec, or a spec file.

    Raises:
        UsageError: There is no such spec, or it has no reference and is no bare cell of one step with one input.
        SpecError: The file is no spec.
    """
    shipped = next((spec for spec in library().specs if spec.id == name), None)
    if shipped is not None and shipped.reference is not None:
        return shipped
    spec = named_spec(name)
    if spec is None or spec.model.layers or not is_forward_step(spec.program()):
        raise UsageError(f"{name} is no bare cell of one step with one input, so its equations are not measured alone")
    return spec


def equations_kernel(spec: Spec) -> Kernel:
    """Make a kernel of the equations of a spec, which torch evaluates step by step.

    Args:
        spec: A bare cell without a reference, whose states are carried forward.
    """
    return Kernel(
        "its equations in torch",
        "the equations of the spec, evaluated by torch step by step",
        spec.id,
        lambda _: EquationsDriver(spec),
        settings(_DTYPES, _DTYPES),
        fixed_sizes=_EQUAL_SIZES if has_equal_sizes(spec) else None,
        custom_spec=spec,
        profiled=False,
    )
