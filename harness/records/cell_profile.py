"""What is known of a single cell beside its verdict: size, first weights, decay and speed, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_harness.records.comparison import DecaySource


@dataclass(frozen=True)
class DrawnWeight:
    """A weight as the constructor of a cell draws it.

    Attributes:
        name: Its name in the equations, and what it is.
        mean: The mean of its numbers.
        deviation: Their standard deviation; zero where all are one number.
    """

    name: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class CellProfile:
    """A cell by itself.

    Attributes:
        target: Its name, as it was typed.
        sentence: What it computes; of an unknown cell, why it is unknown.
        is_known: Whether its equations are known.
        formula: The number of its parameters in closed form, in n and d; empty where it is unknown.
        parameters: The same number at the sizes of the measurement, counted.
        is_counted: Whether the formula gives what was counted.
        sizes: The sizes at which it was timed.
        forward_seconds: The median time of a forward; None where it was not timed.
        backward_seconds: That of a forward and a backward; None where it has no gradients.
        torch_layer: The layer of torch that was timed beside it; empty where it was not timed.
        torch_forward_seconds: The median time of a forward of that layer.
        torch_backward_seconds: That of a forward and a backward of it.
        decay: The factor by which its gradient shrinks at every step back, with the weights of its own constructor;
            None where it could not be computed, or where the gradient is zero or not finite.
        decay_by: By what it was measured.
        decay_by_equations: The same by its equations, beside that by its own products; None where it is not known.
        decay_note: Why its own vector-Jacobian products could not be taken; empty where they were.
        weights: The weights that its constructor draws.
        note: Why something was not measured; empty if all was.
    """

    target: str
    sentence: str
    is_known: bool
    formula: str = ""
    parameters: int = 0
    is_counted: bool = False
    sizes: str = ""
    forward_seconds: float | None = None
    backward_seconds: float | None = None
    torch_layer: str = ""
    torch_forward_seconds: float | None = None
    torch_backward_seconds: float | None = None
    decay: float | None = None
    decay_by: DecaySource = ""
    decay_by_equations: float | None = None
    decay_note: str = ""
    weights: tuple[DrawnWeight, ...] = ()
    note: str = ""
