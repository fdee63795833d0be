"""A method of a torch module in the place of its forward: the step of a decoder whose forward loops over a target."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

from torch import nn

from rnn_harness.attributes import member
from rnn_harness.validation.loading.context_inputs import ContextStep
from rnn_harness.validation.loading.context_search import context_step
from rnn_harness.validation.loading.target import TRIAL_SIZES, Target

_KIND = r"(single|one|time|recurrent|recurrence|decod(e|ing)|inference|infer|cell|rnn|seq(uential)?|parallel|loop|scan)"
METHOD_NAME = re.compile(
    rf"(forward_)?({_KIND}_)?step(_(forward|once|recurrent))?|forward_(once|single|{_KIND})|{_KIND}_forward"
)
"""What such methods are called; not those with an underscore in front, which are a layer's own matter."""


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


def methods_of_steps(written_class: type) -> list[str]:
    """List the methods that a class has beyond those of torch and that are called as one of a step is.

    Args:
        written_class: The class of a module, or of an object with arrays.
    """
    own = [base for base in written_class.__mro__ if base not in (object, nn.Module)]
    names = dict.fromkeys(name for base in own for name in vars(base) if METHOD_NAME.fullmatch(name))
    return [name for name in names if inspect.isfunction(inspect.getattr_static(written_class, name))]


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
