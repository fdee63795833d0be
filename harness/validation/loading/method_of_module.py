"""A method of a torch module in the place of its forward: the step of a decoder whose forward loops over a target."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from rnn_harness.attributes import member
from rnn_harness.validation.loading.context_inputs import ContextStep
from rnn_harness.validation.loading.context_search import context_step
from rnn_harness.validation.loading.methods_of_steps import methods_of_steps
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target


class MethodOfModule(nn.Module):
    """A method of a torch module, in the place of its forward.

    Attributes:
        module: What the method is one of.
        name: What the method is called.
    """

    def __init__(self, module: nn.Module, name: str) -> None:
        """Take a method for the forward.

        Args:
            module: What the method is one of.
            name: What the method is called.
        """
        super().__init__()
        self.module, self.name = module, name
        self.forward = member(module, name)  # its signature is read, too


def target_of_step_method(target: Target) -> Target | None:
    """Return a decoder by its method of one step, which takes an encoder's outputs; None where it has no such method.

    Args:
        target: A torch target whose forward can be called neither as a cell nor as a model.
    """
    if target.capabilities.library is not None:
        return None
    sizes = target.capabilities.fixed_sizes or TRIAL_SIZES
    module = target.make_module(*sizes)
    for name in methods_of_steps(type(module)):
        step = context_step(MethodOfModule(target.make_module(*sizes), name), sizes)
        if step is None:
            continue

        def make_step(_n: int, _d: int, name: str = name, step: ContextStep = step) -> nn.Module:
            return step.wrap(MethodOfModule(target.make_module(*sizes), name))

        notes = (*target.capabilities.notes, f"its method {name} is judged, which computes one step", step.note())
        capabilities = replace(target.capabilities, fixed_sizes=step.sizes, notes=notes)
        return replace(target, make_module=make_step, capabilities=capabilities)
    return None
