"""The candidate as a kernel of the spec that it was identified as, so that it is judged by every check of a kernel."""

from __future__ import annotations

from rnn_harness.evaluation.judging_options import LONG, LONG_BY_BEGINNINGS
from rnn_harness.kernels import Kernel
from rnn_harness.kernels.setting import settings
from rnn_harness.specs import Spec, library
from rnn_harness.validation.cells.calling_convention import CallingConvention
from rnn_harness.validation.identification.identification import Identification
from rnn_harness.validation.judging.generated_spec import alternative_ids, generate_spec, with_alternative_updates
from rnn_harness.validation.judging.usage_checks import USAGE_CHECKS, skipped_checks
from rnn_harness.validation.loading.driver import TargetDriver
from rnn_harness.validation.loading.target import Target
from rnn_harness.validation.request import DTYPES

BATCH_ROWS = 2
"""Batch rows of a candidate that exists for fixed sizes alone."""


def candidate_kernel(target: Target, match: Identification, dtypes: tuple[str, ...] = DTYPES) -> Kernel:
    """Make a kernel of a candidate.

    Args:
        target: The candidate.
        match: What it was identified as: a shipped spec, or a cell that a spec is generated for.
        dtypes: Those in which it is judged, if it takes them.
    """
    names = frozenset(match.assignment.names)
    if match.spec is None:
        spec = generate_spec(match.model, names)
    else:
        spec = with_alternative_updates(library().spec(match.spec), match.model)
    absent = match.absent if match.spec is not None else tuple(name for name in match.absent if "." in name)
    driver = TargetDriver(
        target.make_module,
        match.convention,
        match.assignment.table,
        match.states,
        target.capabilities,
        absent,
    )
    return Kernel(
        target.name,
        match.sentence(),
        spec.id,
        lambda _: driver,
        settings(tuple(dtype for dtype in dtypes if dtype in target.capabilities.dtypes)),
        alternatives=alternative_ids(spec),
        fixed_sizes=fixed_sizes(target),
        metamorphic=not absent and not target.capabilities.absolute_function_error,
        custom_spec=spec,
        own_checks=USAGE_CHECKS,
        skipped_checks=skipped_checks(target.capabilities.library),
        shrinks_refutations=False,
        profiled=False,
        rounds_products=True,
        absolute_function_error=target.capabilities.absolute_function_error,
        is_single_inside=target.capabilities.is_single_inside,
        varies_between_runs=target.capabilities.device.startswith("cuda"),
        long_steps=_long_steps(match.convention),
        is_single_step=not match.convention.sequence,
        bias_parts=driver.table.most_parts,
    )


def spec_kernel(
    target: Target,
    spec: Spec,
    driver: TargetDriver,
    dtypes: tuple[str, ...],
    only_sizes: tuple[int, int] | None = None,
) -> Kernel:
    """Make a kernel of a candidate that is compared with a user's spec file, without being identified.

    Args:
        target: The candidate.
        spec: The spec of the file.
        driver: Drives the candidate with the parameters of the spec.
        dtypes: Those in which it is judged, if it takes them.
        only_sizes: n and d of the spec where it holds for these alone, or where those of the target are others.
    """
    sizes = fixed_sizes(target) if only_sizes is None else {**dict(zip("nd", only_sizes, strict=True)), "B": BATCH_ROWS}
    return Kernel(
        target.name,
        f"compared with {spec.path}",
        spec.id,
        lambda _: driver,
        settings(tuple(dtype for dtype in dtypes if dtype in target.capabilities.dtypes)),
        fixed_sizes=sizes,
        metamorphic=len(spec.model.inputs) == 1,  # the properties speak of one input
        custom_spec=spec,
        own_checks=USAGE_CHECKS,
        skipped_checks=skipped_checks(target.capabilities.library),
        shrinks_refutations=False,
        profiled=False,
        rounds_products=True,
        absolute_function_error=target.capabilities.absolute_function_error,
        is_single_inside=target.capabilities.is_single_inside,
        varies_between_runs=target.capabilities.device.startswith("cuda"),
        long_steps=_long_steps(driver.convention),
        is_single_step=not driver.convention.sequence,
        bias_parts=driver.table.most_parts,
    )


def _long_steps(convention: CallingConvention) -> int:
    """Say how many steps a long sequence has for a candidate that is called in a way."""
    return LONG_BY_BEGINNINGS if convention.prefixes else LONG


def fixed_sizes(target: Target) -> dict[str, int] | None:
    """Return the only sizes that a candidate exists for; None if it can be made for any.

    Args:
        target: The candidate, whose class or loaded parameters may fix its sizes.

    Returns:
        The sizes by letter: n, d, and the number of rows B of its cases.
    """
    sizes = target.capabilities.fixed_sizes
    return None if sizes is None else {"n": sizes.input_size, "d": sizes.hidden_size, "B": BATCH_ROWS}
