"""The profile of a cell as text."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_harness.records.cell_profile import CellProfile


def profile_text(profile: CellProfile) -> str:
    """Write what is known of a cell by itself.

    Args:
        profile: The cell.
    """
    return "\n".join(_lines(profile)) + "\n"


def _lines(profile: CellProfile) -> Iterator[str]:
    yield f"{profile.target}: {profile.sentence}"
    if not profile.is_known:
        yield "  nothing is measured of a cell whose equations are not known"
        return
    counted = "as counted" if profile.is_counted else f"but {profile.parameters} are counted"
    yield f"  parameters            {profile.formula} = {profile.parameters}, {counted}"
    yield f"  forward               {_milliseconds(profile.forward_seconds)}"
    yield f"  forward and backward  {_milliseconds(profile.backward_seconds)}"
    decay = "-" if profile.decay is None else f"x {profile.decay:.3f}, with the weights that it begins with"
    yield f"  gradient a step back  {decay}"
    if profile.sizes:
        yield f"  ({profile.sizes})"
    if profile.weights:
        yield "  Its constructor draws:"
        width = max(len(weight.name) for weight in profile.weights)
        for weight in profile.weights:
            spread = f" +- {weight.deviation:.3g}" if weight.deviation else " everywhere"
            yield f"    {weight.name.ljust(width)}  {weight.mean:.3g}{spread}"
    if profile.note:
        yield f"  {profile.note}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.2f} ms"
