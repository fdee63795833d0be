"""What a target reads of its state, seen by handing it an object that notes the keys and fields that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.calling_convention import CallingConvention, target_result
from rnn_harness.validation.cells.state_form import SEPARATE, StateForm
from rnn_harness.validation.loading.forward_signature import ArgumentPlan

if TYPE_CHECKING:
    from torch import Tensor


class StateRecorder:
    """A state whose every key and field is a given tensor.

    Attributes:
        read_keys: The keys that were asked for, in order.
        read_fields: The fields that were asked for, in order.
    """

    def __init__(self, tensor: Tensor) -> None:
        """Note what every key and field is.

        Args:
            tensor: A state, (B, d).
        """
        self._tensor = tensor
        self.read_keys: list[str] = []
        self.read_fields: list[str] = []

    def __getitem__(self, key: object) -> Tensor:
        if not isinstance(key, str):
            raise TypeError("the state has no such index")
        if key not in self.read_keys:
            self.read_keys.append(key)
        return self._tensor

    def get(self, key: str, _default: object = None) -> Tensor:
        """Return the tensor, and note the key.

        Args:
            key: The key; its default, which a call may give, is never needed.
        """
        return self[key]

    def __getattr__(self, name: str) -> Tensor:
        import torch

        if name.startswith("_") or hasattr(torch.Tensor, name):
            raise AttributeError(name)
        if name not in self.read_fields:
            self.read_fields.append(name)
        return self._tensor

    def forms(self) -> list[StateForm]:
        """Return the forms that the state may have by what was read."""
        readings = (StateForm("mapping", tuple(self.read_keys)), StateForm("fields", tuple(self.read_fields)))
        return [form for form in readings if 1 <= len(form.keys) <= 2]


def recorded_forms(
    module: Callable[..., object], plans: Sequence[ArgumentPlan], x: Tensor, states: list[Tensor]
) -> list[StateForm]:
    """List the forms of a state that a module reads, whatever becomes of the call.

    Args:
        module: The target, as it is called.
        plans: The ways to tell its arguments apart.
        x: Inputs (T, B, n).
        states: A state (B, d).
    """
    import torch

    forms: list[StateForm] = []
    for plan in plans:
        for sequence, input_axes in ((False, ""), (True, ""), (True, "BTn")):
            if plan.states != 1:
                continue
            recorder = StateRecorder(states[0])
            convention = CallingConvention(sequence, 1, plan.arguments, SEPARATE, input_axes)
            try:
                with torch.no_grad():
                    target_result(
                        convention, _with_recorder(module, convention, recorder), x if sequence else x[0], states
                    )
            except (Exception, SystemExit):  # what it read before is all that is wanted
                pass
            forms += [form for form in recorder.forms() if form not in forms]
    return forms


def _with_recorder(
    module: Callable[..., object], convention: CallingConvention, recorder: StateRecorder
) -> Callable[..., object]:
    """The module, given the recorder in the place of its state."""
    place = next(i for i, argument in enumerate(convention.handed_over) if argument.role == "states")
    keyword = convention.handed_over[place].keyword

    def call(*arguments: object, **keywords: object) -> object:
        if keyword:
            return module(*arguments, **{**keywords, keyword: recorder})
        return module(*arguments[:place], recorder, *arguments[place + 1 :], **keywords)

    return call
