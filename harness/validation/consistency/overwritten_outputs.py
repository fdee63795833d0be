"""A layer whose outputs are one buffer that every step writes into: in the end each of them is the last state."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from rnn_harness.errors import NotRun
from rnn_harness.options import Keywords
from rnn_harness.validation.consistency.consistency_property import STEPS, Draw, Violation
from rnn_harness.validation.consistency.repeated_arrays import appends_one_array

_REPEATS = re.compile(r"\]\s*\*|\*\s*\[|repeat|expand|tile|broadcast", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_]\w*")
_JOINS = ("aten::stack", "aten::cat")


def outputs_apart(draw: Draw) -> Violation | None:
    """See whether the outputs of all steps are one buffer, put together from itself after every step wrote into it.

    Outputs that are equal may be the last state, repeated on purpose: that is no buffer that each step wrote into,
    or the source of a module, or of a function that it names, says that it repeats something.

    Args:
        draw: A layer and the seed of its numbers.

    Raises:
        NotRun: It takes no sequence, or is of a library whose memory cannot be watched.
    """
    cell = draw.cell
    if not cell.convention.sequence:
        raise NotRun("it is called step by step in any case")
    is_array_code = cell.capabilities.library == "NumPy"
    if not cell.is_torch and not is_array_code:
        raise NotRun("it is no torch module, and no NumPy code")
    arguments = draw.arguments()
    outputs = cell.run(arguments).outputs[0]
    if not all(torch.equal(output, outputs[-1]) for output in outputs):
        return None
    if is_array_code:
        is_one_buffer = appends_one_array(lambda: cell.run(arguments), STEPS)
    else:
        with _JoinedBuffers() as watch:
            cell.run(arguments)
        is_one_buffer = watch.is_one_buffer and not _may_repeat(cell.module)
    if not is_one_buffer:
        return None
    sentence = (
        f"the outputs of all {len(outputs)} steps are one buffer, which every step writes into: each of them is the "
        "last state"
    )
    return Violation("behaviour: memory of the outputs", sentence)


class _JoinedBuffers(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not type it
    """Sees whether as many tensors as there are steps are put together that are all one, written into at each step.

    Attributes:
        is_one_buffer: Whether it has seen that.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_one_buffer = False

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: Keywords | None = None
    ) -> object:
        """Run an operation; look at the tensors that it puts together, if it does."""
        if func.name() in _JOINS and len(args[0]) == STEPS:
            self.is_one_buffer = self.is_one_buffer or _is_written_every_time(args[0])
        call: Callable[..., object] = func
        return call(*args, **(kwargs or {}))


def _is_written_every_time(parts: list[Tensor]) -> bool:
    """Whether parts are one tensor that was written into as often as there are parts; at the first it may be made."""
    first = parts[0]
    if first.is_inference() or len({part.data_ptr() for part in parts}) > 1:
        return False
    return first._version >= len(parts) - 1  # noqa: SLF001  # torch counts writes under no other name


def _may_repeat(module: nn.Module) -> bool:
    """Whether the source of a class that is not torch's own repeats something, or cannot be read.

    The functions that it names count with it: one beside the class may repeat the last state on purpose.
    """
    for child in module.modules():
        if type(child).__module__.startswith("torch."):
            continue
        try:
            source = _source_with_functions(type(child))
        except (OSError, TypeError):
            return True
        if _REPEATS.search(source):
            return True
    return False


def _source_with_functions(kind: type) -> str:
    """Return the source of a class, and of the functions beside it that it names."""
    source = inspect.getsource(kind)
    file = inspect.getmodule(kind)
    beside = vars(file) if file is not None else {}
    functions = [beside[name] for name in sorted(set(_NAME.findall(source))) if inspect.isfunction(beside.get(name))]
    own = (function for function in functions if not str(function.__module__).startswith("torch"))
    return "\n".join((source, *map(inspect.getsource, own)))
