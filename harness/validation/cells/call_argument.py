"""One argument of a target's call: the input, its states, or what else a sequence may come with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Role = Literal[
    "input", "states", "first state", "second state", "mask", "padding mask", "lengths", "done", "dt", "step number"
]
EXTRA_NAMES: dict[Role, re.Pattern[str]] = {
    "padding mask": re.compile(r"(\w*padd?(ing|ed)?_mask|is_padd?(ing|ed)?|padding|pad)$", re.I),
    "mask": re.compile(r"(\w*masks?|valid|is_valid|alive|not_?done|continues?)$", re.I),
    "lengths": re.compile(r"(\w*lengths?|\w*lens|\w+_len|lens?|batch_sizes|sizes)$", re.I),
    "done": re.compile(
        r"(dones?|is_?(first|start|done|new)|resets?|reset_mask|start(s|ed)?|first|terminals?|terminated|truncated|"
        r"(episode|session)_?(starts?|begins?|reset|mask)|new_(session|episode))$",
        re.I,
    ),
    "dt": re.compile(
        r"(dts?|d_t|delta(s|_t|_ts|t)?|time_(deltas?|diffs?|gaps?|steps?_sizes?|intervals?)|intervals?|elapsed\w*|"
        r"gaps?|ts|times(pans?|tamps)?|step_size|tau)$",
        re.I,
    ),
}
"""What further arguments are usually named; a mask that is one at the padding comes before one at the steps."""
STEP_NUMBER_NAME = re.compile(
    r"(t|time|time_?step|time_?(idx|index)|step|step_?(idx|index|no|num|number)|iteration)$", re.I
)
"""What the number of the step is named, which a layer that keeps statistics for every step asks for."""
_NEUTRAL: dict[Role, float] = {"mask": 1, "padding mask": 0, "done": 0, "dt": 1}
_WORDINGS: dict[Role, str] = {
    "mask": "a mask of ones",
    "padding mask": "a padding mask of zeros",
    "lengths": "full lengths",
    "done": "no restart",
    "dt": "time steps of 1",
    "step number": "0 for the number of the step",
}


@dataclass(frozen=True)
class CallSizes:
    """The sizes of one call.

    Attributes:
        steps: T, 1 where single steps are taken.
        rows: B.
    """

    steps: int
    rows: int


@dataclass(frozen=True)
class CallArgument:
    """One argument of a call.

    Attributes:
        role: What it is.
        name: Its name; empty where it is unknown.
        by_name: Whether it is handed over by its name, and not by its place.
        axes: The axes of a further argument: T, B and 1; empty for a number.
        dtype: The dtype of a further argument: ``bool``, ``int64``, or empty for that of the inputs.
        as_list: Whether a further argument is a list of numbers, and no tensor.
        is_varied: Whether the time between steps is another than 1, and another from step to step.
    """

    role: Role
    name: str = ""
    by_name: bool = False
    axes: str = ""
    dtype: str = ""
    as_list: bool = False
    is_varied: bool = False

    @property
    def keyword(self) -> str:
        """The name by which it is handed over; empty where it goes by its place."""
        return self.name if self.by_name else ""

    @property
    def is_extra(self) -> bool:
        """Whether it is neither the input nor a state."""
        return self.role in _WORDINGS

    @property
    def wording(self) -> str:
        """What is handed over for a further argument, in words."""
        return _WORDINGS[self.role]

    def neutral_value(self, x: Tensor, sizes: CallSizes) -> object:
        """Make the value under which a further argument changes nothing: full lengths, no mask, no restart.

        Args:
            x: The inputs, whose dtype and device it takes.
            sizes: The sizes of the call.
        """
        import torch

        if self.role == "step number":
            return 0
        number = float(sizes.steps) if self.role == "lengths" else _NEUTRAL[self.role]
        shape = [{"T": sizes.steps, "B": sizes.rows, "1": 1}[axis] for axis in self.axes]
        if not shape:
            return number
        dtypes = {"": x.dtype, "bool": torch.bool, "int64": torch.int64}
        value = torch.full(shape, number, dtype=dtypes[self.dtype], device=x.device)
        if self.is_varied:
            grown = torch.arange(sizes.steps, device=x.device).reshape([-1 if axis == "T" else 1 for axis in self.axes])
            value = (value * (0.4 + 0.7 * grown)).to(value.dtype)
        return value.tolist() if self.as_list else value

    def expression(self, steps: str, rows: str, library: str = "torch") -> str:
        """Write `neutral_value` as an expression of Python.

        Args:
            steps: The expression of T.
            rows: The expression of B.
            library: The module whose functions make arrays.
        """
        if self.role == "step number":
            return "0"
        number = steps if self.role == "lengths" else f"{_NEUTRAL[self.role]:g}"
        if not self.axes:
            return number
        shape = ", ".join({"T": steps, "B": rows, "1": "1"}[axis] for axis in self.axes)
        dtype = f"{library}.{self.dtype or 'float64'}"
        text = f"{library}.full(({shape},), {number}, dtype={dtype})"
        return f"{text}.tolist()" if self.as_list else text


def role_of_extra(name: str) -> Role | None:
    """Say what a further argument of that name is; None for a name that is none of them.

    Args:
        name: The argument's name in the target's signature.
    """
    return next((role for role, pattern in EXTRA_NAMES.items() if pattern.fullmatch(name)), None)
