"""The leaves of an expression, variables and constants, and what they are labelled with."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from rnn_harness.specs.dimensions import Shape

if TYPE_CHECKING:
    from rnn_harness.specs.expression import Node


class ShapeError(ValueError):
    """Shapes that do not fit: the message names the operation, both operands and both shapes."""


class Role(enum.Enum):
    """The role of a variable in a step."""

    INPUT = "input"
    STATE = "state"
    PARAMETER = "parameter"
    INTERMEDIATE = "intermediate"
    COTANGENT = "cotangent"


class Function(enum.Enum):
    """The functions that equations apply; all but SOFTMAX, MEAN and INVERSE_DEVIATION act entry by entry.

    STEP is the slope of RELU: 1 or 0. SOFTPLUS_SLOPE is the sigmoid where it is the slope of SOFTPLUS: what a library
    puts in the place of a softplus has a slope of its own. MEAN and INVERSE_DEVIATION give a row of equal entries: the
    mean of a vector, and 1 / sqrt(variance + 1e-5), of which layer normalisation consists (arXiv 1607.06450; the
    constant is torch's).
    """

    SIGMOID = "sigmoid"
    TANH = "tanh"
    RELU = "relu"
    STEP = "step"
    SOFTMAX = "softmax"
    LOG = "log"
    EXP = "exp"
    SOFTPLUS = "softplus"
    SOFTPLUS_SLOPE = "softplus_slope"
    SQRT = "sqrt"
    MEAN = "mean"
    INVERSE_DEVIATION = "inverse_deviation"
    IDENTITY = "identity"


ROW_FUNCTIONS = frozenset({Function.SOFTMAX, Function.MEAN, Function.INVERSE_DEVIATION})
"""The functions that act on a whole vector."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A named quantity at a time. Two variables are the same when name and time are.

    Attributes:
        name: the plain name (``h``, ``h_tilde``, ``W_xi``).
        shape: its sizes, without batch axis.
        time: the offset from now: 0 now, -1 the step before, +1 the step after; None for a quantity without time.
        role: its role in the step.
        latex: its name in LaTeX, without the time.
    """

    name: str
    shape: Shape = field(compare=False)
    time: int | None = None
    role: Role = field(default=Role.INTERMEDIATE, compare=False)
    latex: str = field(default="", compare=False)

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return ()

    def at(self, time: int | None) -> Variable:
        """Return the same quantity at another time.

        Args:
            time: the new offset from now; None for no time.
        """
        return Variable(self.name, self.shape, time, self.role, self.latex)

    def __str__(self) -> str:
        if self.time is None:
            return self.name
        return f"{self.name}[t{self.time:+d}]" if self.time else f"{self.name}[t]"


@dataclass(frozen=True, slots=True)
class Constant:
    """An exact rational scalar.

    Attributes:
        value: the number.
    """

    value: Fraction
    shape: ClassVar[Shape] = ()

    @property
    def children(self) -> tuple[Node, ...]:
        """The operands, in reading order."""
        return ()
