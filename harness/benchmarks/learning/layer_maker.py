"""What makes the layers of a learner that torch does not ship: layers of somebody's cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

States = tuple["Tensor", ...]
"""The states (B, d) of a layer, in the order of its equations."""


class TrainedLayer(Protocol):
    """A recurrent layer whose parameters are trained."""

    @property
    def leaves(self) -> Sequence[Tensor]:
        """Its parameters."""

    def run(self, inputs: Tensor, states: States | None) -> tuple[Tensor, States]:
        """Run it over a sequence.

        Args:
            inputs: (T, B, n).
            states: The initial states; None for zeros.

        Returns:
            The hidden states (T, B, d), and the final states.
        """


@dataclass(frozen=True)
class LayerMaker:
    """Makes layers of one cell.

    Attributes:
        spec: The spec that the cell is; empty where it is none that ships.
        make: Makes a layer of an input size and a hidden size, with weights as the cell's constructor draws them.
        count: Counts the parameters of such a layer.
    """

    spec: str
    make: Callable[[int, int], TrainedLayer]
    count: Callable[[int, int], int]

    def hidden_size(self, input_size: int, total: int) -> int:
        """Return the hidden size at which a layer has about as many parameters as another one.

        Args:
            input_size: n.
            total: The number of parameters of the other one.
        """
        low, high = 1, 2
        while self.count(input_size, high) < total:
            low, high = high, 2 * high
        while high - low > 1:
            center = (low + high) // 2
            low, high = (center, high) if self.count(input_size, center) < total else (low, center)
        return min((low, high), key=lambda size: abs(self.count(input_size, size) - total))


class LayerStack:
    """Layers one above the other, called as torch's layers are.

    Args:
        maker: Makes each of them.
        input_size: n of the lowest.
        hidden_size: d of all.
        count: The number of layers.

    Attributes:
        layers: The lowest first.
    """

    def __init__(self, maker: LayerMaker, input_size: int, hidden_size: int, count: int) -> None:
        sizes = [input_size, *[hidden_size] * (count - 1)]
        self.layers = [maker.make(size, hidden_size) for size in sizes]

    def parameters(self) -> list[Tensor]:
        """Return the parameters of all layers."""
        return [leaf for layer in self.layers for leaf in layer.leaves]

    def __call__(self, inputs: Tensor, state: States | None = None) -> tuple[Tensor, States]:
        """Run the layers over a sequence.

        Args:
            inputs: (T, B, n).
            state: The states of all layers, the lowest first; None for zeros.

        Returns:
            The hidden states (T, B, d) of the uppermost layer, and the states of all.
        """
        outputs = inputs
        finals: States = ()
        each = 0 if state is None else len(state) // len(self.layers)
        for place, layer in enumerate(self.layers):
            initial = None if state is None else state[place * each : (place + 1) * each]
            outputs, last = layer.run(outputs, initial)
            finals = (*finals, *last)
        return outputs, finals
