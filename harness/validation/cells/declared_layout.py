"""Which axis of its input a module declares to be the batch.

It does so in its docstring, in a comment of its forward, or in the names that its forward gives to the axes.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.validation.cells.own_documentation import documentation_texts

if TYPE_CHECKING:
    from torch import nn

_BATCH = re.compile(r"^(b|bs|bsz|nb|batch|batches|batch[_ ]?size|n_?batch|num_seqs?|batch_sz)$")
_TIME = re.compile(
    r"^(t|l|s|seq|seq_?len(gth)?|sequence|sequence[_ ]length|len|length|max_?len|time|times|steps?|time_?steps?|"
    r"num_steps|n_steps|window|t_max)$"
)
_SHAPE = re.compile(r"[(\[]([^()\[\]]{3,60})[)\]]")
_EITHER = re.compile(rf"{_SHAPE.pattern}\s*(?:->|→|=>|\bor\b)\s*{_SHAPE.pattern}", re.IGNORECASE)
"""Two shapes with an arrow between them, or an "or"."""
_RESULT = re.compile(r"->|→|\breturn|\bgives?\b|\boutputs?\b", re.IGNORECASE)


@dataclass(frozen=True)
class DeclaredLayout:
    """What a model says about its input.

    Attributes:
        batch_axis: The axis that is the batch, 0 or 1; the other one is time.
        words: The place where it says so, as it stands there.
    """

    batch_axis: int
    words: str


def declared_layout(module: nn.Module, argument: str) -> DeclaredLayout | None:
    """Read which axis of an argument a model declares to be the batch.

    Args:
        module: The model.
        argument: The name of the argument.

    Returns:
        What it declares; None where it says nothing, or contradicts itself.
    """
    declared = [layout for text in documentation_texts(module) if (layout := _read(text, argument)) is not None]
    if (unpacked := _unpacked(module, argument)) is not None:
        declared.append(unpacked)
    return declared[0] if len({layout.batch_axis for layout in declared}) == 1 else None


def _unpacked(module: nn.Module, argument: str) -> DeclaredLayout | None:
    """Read ``B, T, D = x.shape``, if the argument is still what was handed over there."""
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(type(module).forward))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    if not isinstance(function, ast.FunctionDef):
        return None
    for statement in function.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            value, targets = ast.unparse(statement.value), statement.targets[0].elts
            if value in (f"{argument}.shape", f"{argument}.size()") and len(targets) == 3:
                axis = _batch_axis(", ".join(ast.unparse(target) for target in targets))
                return None if axis is None else DeclaredLayout(axis, ast.unparse(statement))
        names = {
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        if argument in names:
            return None
    return None


def _read(text: str, argument: str) -> DeclaredLayout | None:
    """Read one text: the shape behind the argument's name, or the first one, where it is none of a result.

    Two shapes of which the code makes one from the other, or takes either, are no declaration.
    """
    if any(sorted(_words(match[1])) == sorted(_words(match[2])) for match in _EITHER.finditer(text)):
        return None
    shapes = [(match, axis) for match in _SHAPE.finditer(text) if (axis := _batch_axis(match[1])) is not None]
    named = re.compile(rf"(?<!\w)({re.escape(argument)}|[Ii]nputs?)\s*(:|=|is|of shape|has shape|)\s*$")
    for match, axis in shapes:
        if named.search(text[: match.start()]):
            return DeclaredLayout(axis, f"{argument} {match[0]}")
    for match, axis in shapes[:1]:
        before = text[: match.start()]
        if not _RESULT.search(before) and not re.search(r"\w\s*[:=]\s*$", before):
            return DeclaredLayout(axis, match[0])
    return None


def _batch_axis(shape: str) -> int | None:
    """The axis of the batch of a shape in words; None where its first two axes are not batch and time."""
    axes = _words(shape)
    if len(axes) < 2:
        return None
    if _BATCH.match(axes[0]) and _TIME.match(axes[1]):
        return 0
    return 1 if _TIME.match(axes[0]) and _BATCH.match(axes[1]) else None


def _words(shape: str) -> list[str]:
    """The words for the axes of a shape."""
    return [axis.strip().lower() for axis in shape.split(",")]
