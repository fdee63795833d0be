"""The whiteboard of 003:576-606: how many places a computation needs, with and without wiping out what was used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnn_harness.checks.check import Finding
from rnn_harness.specs import Example
from rnn_harness.specs.notation import Binary, Name, Number, Tree, parse


def _plain(tree: Tree) -> Tree:
    """The same tree without columns, so that equal steps are one step."""
    match tree:
        case Binary():
            return replace(tree, left=_plain(tree.left), right=_plain(tree.right), column=0, parenthesised=False)
        case Name() | Number():
            return replace(tree, column=0)
    raise ValueError(f"a step of the board is a sum or a product of two values, not {type(tree).__name__}")


def _steps(tree: Tree) -> Iterator[Binary]:
    """Yield every step that has to be written down, the last one at the end."""
    if isinstance(tree, Binary):
        yield from _steps(tree.left)
        yield from _steps(tree.right)
        yield tree


def places_without_forgetting(expression: str) -> int:
    """Count the places of a board on which every step stays.

    Args:
        expression: sums and products of letters, as ``ac(bd+a) + ad``.
    """
    return len(dict.fromkeys(_steps(_plain(parse(expression)[0].sides[0]))))


def places_with_forgetting(expression: str) -> int:
    """Count the places that suffice if what is not needed any more is wiped out, in the best order of steps.

    A step may be written where one of its own operands stood.

    Args:
        expression: sums and products of letters.
    """
    steps = tuple(dict.fromkeys(_steps(_plain(parse(expression)[0].sides[0]))))
    needs = {step: {part for part in (step.left, step.right) if isinstance(part, Binary)} for step in steps}
    for places in range(1, len(steps) + 1):
        reached: set[frozenset[Binary]] = set()
        waiting = [frozenset[Binary]()]
        while waiting:
            board = waiting.pop()
            if steps[-1] in board:
                return places
            if board in reached:
                continue
            reached.add(board)
            waiting += [board - {value} for value in board]
            for step in steps:
                if needs[step] <= board:
                    stays = (board, *(board - {value} for value in needs[step]))
                    waiting += [after | {step} for after in stays if len(after | {step}) <= places]
    return len(steps)


def decide_places(entry: Example) -> Finding:
    """Decide whether a board's places are too few without forgetting, and enough with it.

    Args:
        entry: worked numbers with the expression that is asked for, and the places (003:590: three).
    """
    assert entry.asked is not None, "an expression is asked for"
    assert entry.places is not None, "a board is spoken of"
    without, with_forgetting = places_without_forgetting(entry.asked), places_with_forgetting(entry.asked)
    agrees = with_forgetting <= entry.places < without
    detail = f"{without} places without forgetting, {with_forgetting} with it; the board has {entry.places}"
    return Finding(entry.id, agrees, detail)
