"""How a group of equations is read: products without a sign, letters for functions, inputs, and the output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rnn_harness.specs.draft.definition import Definition, mapped
from rnn_harness.specs.draft.entrywise import diagonal_weights, says_entry_by_entry, with_diagonals, with_signs
from rnn_harness.specs.draft.functions_told import UNKNOWN
from rnn_harness.specs.draft.grouping import EquationGroup
from rnn_harness.specs.draft.past import with_inputs_held
from rnn_harness.specs.draft.shapes import timed_weights
from rnn_harness.specs.notation import Call, Name, Tree
from rnn_harness.specs.symbols import Denoted

_GREEK = frozenset({"phi", "varphi", "psi", "Phi", "Psi", "Theta", "rho", "theta", "eta", "chi", "zeta"})


_OUTPUTS = ("y", "o", "p")
"""Letters of outputs."""


def read_products(group: EquationGroup, document: str) -> None:
    """Write the equations of a step with the signs, diagonal weights and held inputs that it means.

    Args:
        group: The equations, which are changed.
        document: The whole text.
    """
    function, diagonal = says_entry_by_entry(document), diagonal_weights(document)
    weights = timed_weights(group)
    targets = set(group.definitions)

    def is_vector(symbol: Denoted) -> bool:
        return symbol.name not in weights and (symbol.time is not None or symbol.name in targets)

    definitions = [with_signs(with_diagonals(d, diagonal), is_vector, function) for d in group.definitions.values()]
    if not group.has_layers:
        definitions = with_inputs_held(definitions)
    group.definitions = {definition.target: definition for definition in definitions}


def output_of(group: EquationGroup, states: list[str]) -> str:
    """Return the output of a step: the last of its states; empty where the rule of spec files gives it.

    By that rule the only result that nothing reads is the output, which it is not where it is made of no state.

    Args:
        group: The equations.
        states: The names of the states.
    """
    unread = [name for name in group.definitions if name not in {s.name for s in group.symbols}]
    is_output = len(unread) == 1 and (
        unread[0].partition("_")[0] in _OUTPUTS or bool(_read_now(group, unread[0]) & set(states))
    )
    if not states or group.has_layers or is_output or (len(states) == 1 and len(unread) != 1):
        return ""
    now = {s.name for s in group.symbols if s.time == 0}
    computed = [name for name in states if not isinstance(group.definitions[name].tree, Name)]  # no input that is held
    last = [name for name in computed if name not in now] or computed or states
    return last[-1] if last[-1] != states[0] or len(unread) == 1 else ""


def _read_now(group: EquationGroup, name: str) -> set[str]:
    """Return everything of which a result is made within its own step."""
    names_read: set[str] = set()
    waiting = [name]
    while waiting:
        definition = group.definitions.get(waiting.pop())
        now = {s.name for s in definition.reads if not s.time} if definition is not None else set()
        waiting += now - names_read
        names_read |= now
    return names_read


def functions_line(group: EquationGroup, function_of: Mapping[str, str]) -> list[str]:
    """Return the line of a spec file that says which functions letters stand for; none where no letter does.

    Args:
        group: The equations of a step.
        function_of: What the document says of letters.
    """
    functions: dict[str, str] = {}
    unsettled: list[str] = []
    for letter in _letters(group.definitions.values()):
        function = function_of.get(letter, "")
        if letter == "sigma" and function in ("", "sigmoid"):
            continue
        usual = "sigmoid" if letter.startswith("sigma") else "identity" if letter == "O" else "tanh"
        is_settled = function not in ("", UNKNOWN)
        functions[letter] = function if is_settled else usual
        unsettled += [] if is_settled else [letter]
    if not functions:
        return []
    put = ", ".join(functions[letter] for letter in unsettled)
    comment = f"  # which functions {', '.join(unsettled)} are could not be settled; {put} put" if unsettled else ""
    return [f"functions = {toml_table(functions)}{comment}"]


def _letters(definitions: Iterable[Definition]) -> list[str]:
    """List the letters that are applied as functions, with their labels."""
    letters: dict[str, None] = {}

    def visit(tree: Tree) -> Tree:
        if isinstance(tree, Call):
            head = tree.function.partition("_")[0]
            if len(head) == 1 or head in _GREEK or head == "sigma":
                letters.setdefault(tree.function)
        return tree

    for definition in definitions:
        mapped(definition.tree, visit)
    return list(letters)


def toml_table(values: Mapping[str, str]) -> str:
    """Write a TOML table in one line.

    Args:
        values: Its entries.
    """
    inner = ", ".join(f'{_key(name)} = "{value}"' for name, value in values.items())
    return f"{{ {inner} }}" if inner else "{}"


def _key(name: str) -> str:
    """Write a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
