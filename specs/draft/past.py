r"""Results that are printed at the step before, states printed for the step after, and inputs of the step before.

``\hat{h}_{t-1} = \gamma_t \odot h_{t-1}`` gives no state: it is made in the step to t. ``W x_{t-1}`` needs a state that
holds x.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from rnn_harness.specs.draft.definition import Definition, mapped, retimed
from rnn_harness.specs.draft.displayed import DisplayedEquation
from rnn_harness.specs.draft.surface import surface_latex
from rnn_harness.specs.notation import Name, Tree, names
from rnn_harness.specs.symbols import Denoted, denote


def with_results_of_this_step(definitions: Sequence[Definition]) -> list[Definition]:
    """Return the equations with those results at t that are printed at t-1 wherever they stand.

    Args:
        definitions: The equations of a document.
    """
    times: dict[tuple[str, str], set[int | None]] = defaultdict(set)
    for definition in definitions:
        for name in (definition.printed_target, *names(definition.tree)):
            symbol = denote(name, definition.letter, frozenset(), {})
            times[definition.letter, symbol.name].add(symbol.time)
    targets = {(d.letter, d.target) for d in definitions}
    moved = {
        (d.letter, d.target)
        for d in definitions
        if times[d.letter, d.target] == {-1} and all(_is_at_hand(read, d.letter, targets) for read in d.reads)
    }
    return [_moved(d, {name for letter, name in moved if letter == d.letter}) for d in definitions]


def _is_at_hand(read: Denoted, letter: str, targets: set[tuple[str, str]]) -> bool:
    """Say whether what an equation printed for t-1 reads is at hand in the step to t; its times count from t-1."""
    return read.time in (None, 1) or (read.time == 0 and (letter, read.name) in targets)


def _moved(definition: Definition, moved: set[str]) -> Definition:
    """Return an equation in which some symbols stand at t in the place of t-1."""
    letter = definition.letter
    changed: dict[str, None] = {}

    def change(tree: Tree) -> Tree:
        if isinstance(tree, Name) and _plain(tree, letter) in moved:
            changed.setdefault(_plain(tree, letter))
            return retimed(tree, letter, letter)
        return tree

    tree = mapped(definition.tree, change)
    target = change(definition.printed_target)
    if not changed or not isinstance(target, Name):
        return definition
    verb = "are" if len(changed) > 1 else "is"
    note = f"{', '.join(changed)} {verb} printed at {letter}-1, and made in the step to {letter}: no state"
    return definition.written(tree, note, target)


def _plain(name: Name, letter: str) -> str:
    """Return the plain name of a printed one."""
    return denote(name, letter, frozenset(), {}).name


def with_states_of_the_next_step(definitions: Sequence[Definition]) -> list[Definition]:
    """Return the equations of ``h_{t+1} = f(h_t, x_t)`` as ``h_t = f(h_{t-1}, x_t)``; others as they are.

    Args:
        definitions: The equations of a document.
    """
    result = list(definitions)
    for letter in {definition.letter for definition in definitions}:
        rows = [definition for definition in definitions if definition.letter == letter]
        states = {d.target for d in rows if _symbol(d.printed_target, letter).time == 1}
        inputs = {read.name for d in rows for read in d.reads} - {d.target for d in rows}
        times = {
            _symbol(name, letter).time
            for d in rows
            if d.target in states
            for name in names(d.tree)
            if _symbol(name, letter).name in inputs
        }
        if 0 in times and 1 not in times:
            result = [_one_earlier(d, states) if d.letter == letter else d for d in result]
    return result


def _one_earlier(definition: Definition, states: set[str]) -> Definition:
    """Return an equation in which some symbols stand one step earlier."""
    letter = definition.letter

    def change(tree: Tree) -> Tree:
        if not isinstance(tree, Name) or _plain(tree, letter) not in states:
            return tree
        time = (_symbol(tree, letter).time or 0) - 1
        return retimed(tree, letter, f"{letter}{time:+d}" if time else letter)

    tree, target = mapped(definition.tree, change), change(definition.printed_target)
    if not isinstance(target, Name) or (tree, target) == (definition.tree, definition.printed_target):
        return definition
    note = f"{', '.join(sorted(states))}: what is printed for {letter}+1 is made in the step of the inputs at {letter}"
    return definition.written(tree, note, target)


def _symbol(name: Name, letter: str) -> Denoted:
    """Interpret a printed name."""
    return denote(name, letter, frozenset(), {})


def with_inputs_held(definitions: Sequence[Definition]) -> list[Definition]:
    """Return the equations of a step with a state for every input that they read from the step before.

    Args:
        definitions: The equations of a step, in order.
    """
    letter = definitions[0].letter
    targets = {target for definition in definitions for target in (definition.target, definition.target.swapcase())}
    names_held: dict[str, Name] = {}
    for definition in definitions:
        for name in names(definition.tree):
            symbol = denote(name, letter, frozenset(), {})
            if symbol.time == -1 and symbol.name not in targets and not _is_shifted(definition, letter):
                names_held.setdefault(symbol.name, name)
    also_now = {read.name for definition in definitions for read in definition.reads if read.time == 0}
    names_held = {plain: name for plain, name in names_held.items() if plain in also_now}
    if not names_held:
        return list(definitions)

    def change(tree: Tree) -> Tree:
        if isinstance(tree, Name) and _plain(tree, letter) in names_held:
            symbol = denote(tree, letter, frozenset(), {})
            return _before(tree) if symbol.time == -1 else tree
        return tree

    result = [d if (tree := mapped(d.tree, change)) == d.tree else d.written(tree, "") for d in definitions]
    return [*result, *(_holding(plain, name, letter, definitions[0].displayed) for plain, name in names_held.items())]


def _is_shifted(definition: Definition, letter: str) -> bool:
    """Say whether an equation is printed for another time than t."""
    return bool(denote(definition.printed_target, letter, frozenset(), {}).time)


def _before(name: Name) -> Name:
    """Return the state that holds an input."""
    return replace(name, sub=",".join(filter(None, ("before", name.sub))))


def _holding(plain: str, name: Name, letter: str, displayed: DisplayedEquation) -> Definition:
    """Return the equation, which no document prints, of the state that holds an input."""
    now = retimed(name, letter, letter)
    target = _before(now)
    symbol = denote(target, letter, frozenset(), {})
    text = f"{surface_latex(target)} = {surface_latex(now)}"
    note = f"{plain} of the step before is held in the state {symbol.name}; its equation is not printed"
    place = replace(displayed, text=text)
    return Definition(place, text, symbol.name, True, (Denoted(plain, 0),), now, target, letter, (note,))
