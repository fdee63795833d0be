"""The profile of a cell as text."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.records.cell_profile import CellProfile
from rnn_harness.records.comparison_text import decay_in_words


def profile_text(profile: CellProfile) -> str:
    """Write what is known of a cell by itself.

    Args:
        profile: The cell.
    """
    return "\n".join(_lines(profile)) + "\n"


def _lines(profile: CellProfile) -> Iterator[str]:
    yield f"{profile.target}: {profile.sentence}"
    if not profile.is_known and not profile.parameters:
        yield "  nothing is measured of it"
        return
    counted = "as counted" if profile.is_counted else f"but {profile.parameters} are counted"
    closed = f"{profile.formula} = {profile.parameters}, {counted}" if profile.is_known else f"{profile.parameters}"
    yield f"  parameters            {closed}"
    beside = f", {profile.torch_layer} " if profile.torch_layer else ""
    for title, seconds, of_torch in (
        ("forward             ", profile.forward_seconds, profile.torch_forward_seconds),
        ("forward and backward", profile.backward_seconds, profile.torch_backward_seconds),
    ):
        of_layer = f"{beside}{_milliseconds(of_torch)}{_times_slower(seconds, of_torch)}" if beside else ""
        yield f"  {title}  {_milliseconds(seconds)}{of_layer}"
    yield f"  gradient a step back  {_decay(profile)}"
    if profile.sizes:
        yield f"  ({profile.sizes})"
    if not profile.is_known:
        yield "  (what it should compute is not known, so its numbers are not checked)"
    if profile.weights:
        yield "  Its constructor draws:"
        width = max(len(weight.name) for weight in profile.weights)
        for weight in profile.weights:
            spread = f" +- {weight.deviation:.3g}" if weight.deviation else " everywhere"
            yield f"    {weight.name.ljust(width)}  {weight.mean:.3g}{spread}"
    if profile.note:
        yield f"  {profile.note}"


def _decay(profile: CellProfile) -> str:
    """Say how fast the gradient shrinks, and by what that was measured."""
    factor = decay_in_words(profile.decay, profile.decay_by)
    if profile.decay_by == "products":
        by_equations = profile.decay_by_equations
        beside = "" if by_equations is None else f" (by its equations: x {by_equations:.3f})"
        return f"{factor} by its own vector-Jacobian products{beside}, with the weights that it begins with"
    if profile.decay_by == "equations":
        reason = f" ({profile.decay_note})" if profile.decay_note else ""
        return f"{factor} by its equations{reason}, with the weights that it begins with"
    return factor if profile.is_known or not profile.decay_note else f"- ({profile.decay_note})"


def _times_slower(seconds: float | None, of_torch: float | None) -> str:
    """Say how many times longer a cell takes than torch's layer, where both were timed."""
    return f": x {seconds / of_torch:.2g}" if seconds and of_torch else ""


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.2f} ms"
