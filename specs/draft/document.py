"""A document drafted: its groups of equations as spec files, with comments for what could not be settled."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rnn_harness.specs.draft.displayed import DisplayedEquation, displayed_equations
from rnn_harness.specs.draft.functions_told import functions_told
from rnn_harness.specs.draft.grouping import EquationGroup, group_equations
from rnn_harness.specs.draft.reading import functions_line, output_of, read_products, toml_table
from rnn_harness.specs.draft.remarks import Surroundings, remarks, says_star_is_a_convolution
from rnn_harness.specs.draft.shapes import BELOW, Length, ShapeInference, ShapeTable, timed_weights
from rnn_harness.specs.load import parse_spec
from rnn_harness.specs.spec import SpecError

_SIZES = "dnkmpqrsuvwabcefghij"
_ROLES = ("inputs", "states", "parameters")


@dataclass(frozen=True)
class DraftedSpec:
    """A group as a spec file.

    Attributes:
        group: The equations.
        text: The file.
        problem: Why the file makes no step yet; empty where it makes one.
        shapes: The declared shapes by role and name.
    """

    group: EquationGroup
    text: str
    problem: str
    shapes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the file makes a step as it is."""
        return not self.problem


@dataclass(frozen=True)
class Draft:
    """What was found in a document.

    Attributes:
        displayed: All displayed formulas.
        specs: The groups as spec files, in the order of the document.
        reasons: Why other formulas are in none, by their number among those displayed.
    """

    displayed: tuple[DisplayedEquation, ...]
    specs: tuple[DraftedSpec, ...]
    reasons: dict[int, str]


def draft_document(text: str, name: str) -> Draft:
    """Draft the spec files of a document.

    Args:
        text: The document: Markdown, LaTeX or plain text.
        name: What ids begin with.
    """
    displayed = displayed_equations(text)
    groups, reasons, constants = group_equations(displayed, text)
    function_of = functions_told(text)
    for group in groups:
        read_products(group, text)
    surroundings = Surroundings(
        tuple(groups), tuple(displayed[n] for n in reasons), constants, says_star_is_a_convolution(text)
    )
    specs = tuple(
        _drafted(group, f"{name}.{number}", function_of, surroundings) for number, group in enumerate(groups, 1)
    )
    return Draft(displayed, specs, reasons)


def _drafted(
    group: EquationGroup, name: str, function_of: Mapping[str, str], surroundings: Surroundings
) -> DraftedSpec:
    """Write a group as a spec file, and try whether it makes a step."""
    aliases = _case_aliases(group)
    table = ShapeInference(group, aliases).infer()
    shapes = _declared(group, table, aliases)
    notes = remarks(group, shapes, table, aliases, surroundings)
    text = _spec_text(group, name, shapes, aliases, notes, function_of)
    problem = _problem(text, name)
    if problem:
        text = "".join(f"# makes no step yet: {line}\n" for line in problem.splitlines()) + text
    return DraftedSpec(group, text, problem, shapes)


def _problem(text: str, name: str) -> str:
    """Say why the text of a spec file makes no step; empty where it makes one."""
    path = Path(f"{name}.toml")
    try:
        parse_spec(text, path).program()
    except SpecError as error:
        return error.message
    return ""


def _case_aliases(group: EquationGroup) -> dict[str, str]:
    """Find symbols with a time that differ from one that is given, or read too, only in being capital letters."""
    timed = {s.name for d in group.definitions.values() for s in d.reads if s.time is not None}
    names = [*group.definitions, *sorted(timed - set(group.definitions))]
    aliases = {}
    for name in sorted(timed - set(group.definitions)):
        swapped = name.swapcase()
        if any(s.name.startswith(f"{name}_") for s in group.symbols):  # a weight that is printed with a time
            continue
        if len(name) == 1 and swapped in names and (swapped in group.definitions or name.isupper()):
            aliases[name] = swapped
    return aliases


def _declared(group: EquationGroup, table: ShapeTable, aliases: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the shapes of inputs, states and parameters by role and name, their sizes named."""
    inputs: list[str] = []
    parameters: list[str] = []
    weights = timed_weights(group)
    for symbol in group.symbols:
        name = aliases.get(symbol.name, symbol.name)
        if name not in group.definitions and name not in (*inputs, *parameters):
            (parameters if symbol.time is None or name in weights else inputs).append(name)
    carried = {aliases.get(s.name, s.name) for s in group.symbols if s.time}
    states = [name for name in group.definitions if name in carried]
    roles = {"inputs": inputs, "states": states, "parameters": parameters}
    letters: dict[int, str] = {}

    def named(length: Length) -> str:
        parts = []
        for part in table.resolved(length):
            spare = next((letter for letter in _SIZES if letter not in letters.values()), f"s{part}")
            parts.append(letters.setdefault(part, spare))
        counted = Counter(parts)
        return "+".join(letter if count == 1 else f"{count}{letter}" for letter, count in counted.items()) or "1"

    first = [name for name in (*states, *group.definitions) if name in table.lengths]
    for name in (*first[:1], *inputs):  # the first state's size is d, the first input's n
        named(table.lengths[name][0])
    if group.has_layers:
        below = next((key for key in table.lengths if key.endswith(BELOW)), None)
        letters.update(dict.fromkeys(table.resolved(table.lengths[below][0]) if below else (), "m"))
        return _roles_of_layers(roles, table, named)
    return {
        role: {name: " ".join(named(length) for length in table.lengths[name]) for name in listed}
        for role, listed in roles.items()
    }


def _roles_of_layers(
    roles: dict[str, list[str]], table: ShapeTable, named: Callable[[Length], str]
) -> dict[str, dict[str, str]]:
    """Return the shapes of a step whose symbols carry a layer: its input is read as the layer below the first.

    Args:
        roles: The names by role.
        table: What is known of the sizes.
        named: Writes a size.
    """
    shapes = {
        role: {name: " ".join(named(length) for length in table.lengths[name]) for name in listed}
        for role, listed in roles.items()
    }
    return shapes | {"inputs": {"x": "n"}}


def _spec_text(
    group: EquationGroup,
    name: str,
    shapes: dict[str, dict[str, str]],
    aliases: dict[str, str],
    notes: list[str],
    function_of: Mapping[str, str],
) -> str:
    """Write the spec file of a group."""
    first = next(iter(group.definitions.values())).displayed
    title = re.sub(r"[\"\\]", "", first.section) or name
    lines = [*(f"# {note}" for note in notes), f'id = "{name}"', f'title = "{title}"']
    lines += [f'time = "{group.letter}"'] if group.letter != "t" else []
    lines += [f"{role} = {toml_table(shapes[role])}" for role in _ROLES if shapes[role] or role == "inputs"]
    lines += ["layers = true"] if group.has_layers else []
    output = output_of(group, list(shapes["states"]))
    lines += [f'output = "{output}"'] if output else []
    lines += functions_line(group, function_of)
    lines += [f"aliases = {toml_table(aliases)}"] if aliases else []
    rows = [(definition, False) for definition in group.definitions.values()]
    rows += [(definition, True) for definition in group.others]
    written: set[str] = set()
    number = 0
    for definition, is_other in sorted(rows, key=lambda row: row[0].displayed.line):
        text = definition.displayed.text
        if text in written and text == definition.text:  # one print may give two symbols
            continue
        written.add(text)
        number += 1
        lines += ["", "# another way to give a symbol: one of the two is an error, or alternative = true"] * is_other
        head = "# " * is_other
        lines += ["" if not is_other else "#", f"{head}[[equations]]", f'{head}id = "{name}-{number}"']
        lines.append(f"{head}line = {definition.displayed.line}")
        again = group.repeated.get(definition.target, []) if not is_other else []
        lines += [f"{head}also = {again}"] if again else []
        lines.append(f"{head}printed = {_quoted(text)}")
        if text != definition.text:
            lines.append(f"{head}reading = {_quoted(definition.text)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a text as a string of TOML: literally where it can be."""
    return json.dumps(text, ensure_ascii=False) if "'" in text or not text.isprintable() else f"'{text}'"
