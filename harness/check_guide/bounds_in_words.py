"""What an error of each check is measured against, in words."""

from __future__ import annotations

from rnn_harness.checks.metamorphic.property import Exactness

PROVED = (
    "the proved rounding bound: a ball around the true value that holds whatever a right implementation may round in "
    "this format, in any order of summation (docs/bounds.md)"
)
EXACT = "none: it holds exactly or not at all"
_COMPLEX_STEP = (
    "the rounding of a complex step of the equations in float64, and where both sides cancel the proved bound besides"
)
_OF_GROUPS: dict[str, str] = {
    "forward": PROVED,
    "backward": PROVED,
    "precision": PROVED,
    "scale": PROVED,
    "behaviour": "bit for bit where nothing may change, else the proved rounding bound",
    "consistency": (
        "how far the target's own results move where every number is rounded once: no equation is known, so only a "
        "difference far beyond that refutes, and it must occur with several draws of the numbers"
    ),
    "wiring": (
        "which numbers change at all where one is changed, or a difference far beyond rounding; both must occur with "
        "two draws of the parameters"
    ),
}
_OF_CHECKS: dict[str, str] = {
    "backward.screen": _COMPLEX_STEP,
    "backward.blocks": _COMPLEX_STEP,
    "backward.entries": _COMPLEX_STEP,
    "backward.quotient": "the proved bounds of the gradients along the direction, and the error of the quotient",
    "behaviour.formats": EXACT,
    "behaviour.state-dict": EXACT,
    "behaviour.intact": EXACT,
    "behaviour.large-inputs": "none: what is not finite refutes where the printed equations are finite",
    "behaviour.non-finite-rows": EXACT,
    "scale.sizes": (
        f"{PROVED}; beside it, where sums are long, a bound that fails with a stated probability, which names "
        "precision that was lost and refutes nothing"
    ),
}
"""Where a check does not follow its group."""
OF_PROPERTIES: dict[Exactness, str] = {
    "bitwise": "none: both sides must be equal bit for bit",
    "rounding": "the proved rounding bounds of both sides together",
    "rate": "the proved rounding bounds of both sides, and the rate at which they approach each other",
}
"""What the two sides of a metamorphic property may differ by."""


def bound_of(name: str) -> str:
    """Say what an error of a check is measured against.

    Args:
        name: The check, of a group that a registry lists.
    """
    return _OF_CHECKS.get(name) or _OF_GROUPS[name.partition(".")[0]]
