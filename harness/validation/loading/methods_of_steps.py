"""The methods of a class that compute one step; of a torch module that has no forward, one takes its place."""

from __future__ import annotations

import inspect
import re

from torch import nn

_KIND = r"(single|one|time|recurrent|recurrence|decod(e|ing)|inference|infer|cell|rnn|seq(uential)?|parallel|loop|scan)"
METHOD_NAME = re.compile(
    rf"(forward_)?({_KIND}_)?step(_(forward|once|recurrent))?|forward_(once|single|{_KIND})|{_KIND}_forward"
)
"""What such methods are called; not those with an underscore in front, which are a layer's own matter."""


def methods_of_steps(written_class: type) -> list[str]:
    """List the methods that a class has beyond those of torch and that are called as one of a step is.

    Args:
        written_class: The class of a module, or of an object with arrays.
    """
    own = [base for base in written_class.__mro__ if base not in (object, nn.Module)]
    names = dict.fromkeys(name for base in own for name in vars(base) if METHOD_NAME.fullmatch(name))
    return [name for name in names if inspect.isfunction(inspect.getattr_static(written_class, name))]


def with_step_as_forward(module: nn.Module) -> str:
    """Let a module that is written with a method of one step, and without forward, be called as that method.

    Args:
        module: A torch module, which gets a class of the same name below its own.

    Returns:
        What the method is called; empty where the module has a forward, is called in a way of its own, or has no or
        several such methods.
    """
    written_class = type(module)
    # What torch compiles has forwards of its own, which are read where they stand and nowhere else.
    has_forward = inspect.getattr_static(written_class, "forward") is not nn.Module.forward
    if has_forward or written_class.__call__ is not nn.Module.__call__:
        return ""
    names = methods_of_steps(written_class)
    if len(names) != 1:
        return ""
    method = inspect.getattr_static(written_class, names[0])
    described = {"forward": method, "__module__": written_class.__module__, "__doc__": written_class.__doc__}
    described["__qualname__"] = written_class.__qualname__
    module.__class__ = type(written_class.__name__, (written_class,), described)
    return names[0]
