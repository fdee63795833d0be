"""The parts of a model that carry a state: torch's layers and cells, and cells of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_LAYER_OF_PARAMETER = re.compile(r"_l(\d+)(_reverse)?$")


@dataclass(frozen=True)
class RecurrentPart:
    """One module of a model that carries a state; by whichever name it is called, it is one part.

    Attributes:
        name: Its name in the model, as ``named_modules`` has it; empty for the model itself.
        further_names: The other names under which the model holds the same object.
        module_class: The class that computes it: ``LSTM``, ``GRUCell``, or the user's.
        family: ``rnn``, ``gru`` or ``lstm``; empty for a class of the user.
        is_layer: Whether it runs over a whole sequence; else one step at a time.
        input_size: n; 0 where it is not known before it is called.
        hidden_size: d; 0 where it is not known before it is called.
        layers: The number of layers on top of each other.
        directions: 2 for both directions of time, else 1.
        batch_first: Whether its sequences are (B, T, .).
        projection_size: The size of projected hidden states; 0 without a projection.
        space: The number of axes behind the channels of its inputs and states; 0 of vectors.
    """

    name: str
    further_names: tuple[str, ...]
    module_class: str
    family: str
    is_layer: bool
    input_size: int
    hidden_size: int
    layers: int = 1
    directions: int = 1
    batch_first: bool = False
    projection_size: int = 0
    space: int = 0

    @property
    def title(self) -> str:
        """What it is, in words."""
        text = f"{'nn.' if self.family else ''}{self.module_class}"
        if self.input_size:
            text += f", {self.input_size} inputs, {self.hidden_size} units"
        text += f", {self.layers} layers" if self.layers > 1 else ""
        text += ", both directions" if self.directions == 2 else ""
        text += f", projected to {self.projection_size}" if self.projection_size else ""
        return text

    @property
    def shown_name(self) -> str:
        """Its name in sentences."""
        return self.name or "the layer"

    @property
    def output_size(self) -> int:
        """The size of one direction's hidden state."""
        return self.projection_size or self.hidden_size

    @property
    def has_cell_state(self) -> bool:
        """Whether it carries a second state."""
        return self.family == "lstm"


def torch_family(module: nn.Module) -> str:
    """Name the family of a module that torch computes; empty for a module of another class, or with its own forward.

    Args:
        module: A module, or a parametrised subclass that leaves ``forward`` alone.
    """
    from torch import nn

    for family, layer, cell in (
        ("rnn", nn.RNN, nn.RNNCell),
        ("gru", nn.GRU, nn.GRUCell),
        ("lstm", nn.LSTM, nn.LSTMCell),
    ):
        for torch_class in (layer, cell):
            if isinstance(module, torch_class) and type(module).forward is torch_class.forward:
                return family
    return ""


def find_torch_parts(model: nn.Module) -> tuple[RecurrentPart, ...]:
    """Find torch's recurrent layers and cells in a model, in the order in which it holds them.

    Args:
        model: The model, which may be such a layer itself.
    """
    return tuple(_torch_part(names, module) for names, module in modules_by_object(model) if torch_family(module))


def modules_by_object(model: nn.Module) -> Iterator[tuple[list[str], nn.Module]]:
    """Yield every module of a model once, with all the names under which the model holds it.

    Args:
        model: The model; modules that it holds twice appear once.
    """
    names: dict[int, list[str]] = {}
    modules: dict[int, nn.Module] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        names.setdefault(id(module), []).append(name)
        modules[id(module)] = module
    for key, module in modules.items():
        yield names[key], module


def _torch_part(names: list[str], module: nn.Module) -> RecurrentPart:
    """Describe one of torch's modules."""
    from torch import nn

    family = torch_family(module)
    torch_class = next(base for base in type(module).__mro__ if base.__module__ == "torch.nn.modules.rnn")
    if isinstance(module, nn.RNNBase):
        return RecurrentPart(
            names[0],
            tuple(names[1:]),
            torch_class.__name__,
            family,
            True,
            module.input_size,
            module.hidden_size,
            module.num_layers,
            2 if module.bidirectional else 1,
            module.batch_first,
            module.proj_size,
        )
    assert isinstance(module, nn.RNNCellBase), "torch's recurrent modules are layers or cells"
    cell_class, sizes = torch_class.__name__, (module.input_size, module.hidden_size)
    return RecurrentPart(names[0], tuple(names[1:]), cell_class, family, False, *sizes)


def layer_parameters(module: nn.Module) -> Mapping[tuple[int, bool], tuple[str, ...]]:
    """Sort the parameters of one of torch's layers.

    Args:
        module: The layer.

    Returns:
        The names of the parameters by the number of the layer and whether it is the reverse direction.
    """
    names: dict[tuple[int, bool], list[str]] = {}
    for name, _ in module.named_parameters():
        if match := _LAYER_OF_PARAMETER.search(name):
            names.setdefault((int(match[1]), bool(match[2])), []).append(name)
    return {place: tuple(its_names) for place, its_names in names.items()}
