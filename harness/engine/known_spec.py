"""Look up a shipped spec by the id that a user typed."""

from __future__ import annotations

from rnn_harness.errors import UsageError
from rnn_harness.specs import Spec, library


def known_spec(name: str) -> Spec:
    """Return the shipped spec of an id.

    Args:
        name: The id as it was typed.

    Raises:
        UsageError: There is none; the message names those that look like it.
    """
    specs = {spec.id: spec for spec in library().specs}
    if name not in specs:
        near = [nearest for nearest in library().nearest(name) if nearest in specs]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"there is no spec {name!r}{hint} (rnn-harness specs lists all)")
    return specs[name]
