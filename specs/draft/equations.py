"""The equations of a document, read: displays as the notation has them, and what they give and read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rnn_harness.specs.draft.applied import applied_letters, with_applied, with_bias_of_ones, with_own_weights
from rnn_harness.specs.draft.definition import Definition, definitions_of
from rnn_harness.specs.draft.displayed import DisplayedEquation
from rnn_harness.specs.draft.entries import entries_given_whole, with_products, with_whole_vectors
from rnn_harness.specs.draft.functions_told import affine_letters, functions_told
from rnn_harness.specs.draft.past import with_results_of_this_step, with_states_of_the_next_step
from rnn_harness.specs.draft.plain_letters import words_of_a_step
from rnn_harness.specs.draft.readable import TimedMarks, letters_of_time, readable, with_labelled_results
from rnn_harness.specs.draft.stacks import rows_of_stack
from rnn_harness.specs.draft.surface import surface_latex
from rnn_harness.specs.notation import Chain, Name, NotationError, parse

_SEVERAL = re.compile(r"\\operatorname\{(\w+)\}\s*\([^()]*(?:\([^()]*\)[^()]*)*,")
_WITHOUT_SUMS = "sums over entries are written as products of a matrix and a vector"
_ON_A_WEIGHT = r"(?<![A-Za-z\\])[A-Z]\}}?(?:_\{{?\w+\}}?)?[_^]\{{?\(?{}\)?\}}?(?![A-Za-z])"
_SUM = re.compile(r"\\sum_\{[^{}]*\}")
_WHEN = re.compile(r"\\(?:text|textrm|mbox)\s*\{\s*,?\s*(?:if|otherwise|else|when|unless)\b[^{}]*\}", re.IGNORECASE)
_CONDITION = re.compile(r"_\{[^{}]*=[^{}]*\}")
TIME_LETTERS = ("t", "i", "n", "k", "j")
"""Letters that count time in papers, the usual one first."""


@dataclass
class EquationsRead:
    """What the displayed formulas of a document give.

    Attributes:
        definitions_found: The equations, with the number of their formula.
        reasons: Why other formulas give none, by their number.
        constants: The line of every symbol that is given by symbols without a time.
    """

    definitions_found: list[tuple[Definition, int]] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


def read_equations(displayed: tuple[DisplayedEquation, ...], document: str) -> EquationsRead:
    """Read the displayed formulas of a document.

    Args:
        displayed: The formulas, in order.
        document: The whole text, which says what letters stand for.
    """
    read = EquationsRead()
    words = words_of_a_step(equation.text for equation in displayed if equation.is_code)
    timed_marks, affine = TimedMarks(letters_of_time(document), words), affine_letters(document)
    texts = [readable(equation.text, timed_marks, equation.is_code) for equation in displayed]
    usual = Counter(letter for text, _ in texts for letter in _shifted_letters(text))
    labelled_texts = with_labelled_results([text for text, _ in texts])
    for number, (equation, text, (_, notes)) in enumerate(zip(displayed, labelled_texts, texts, strict=True)):
        rows, cut = rows_of_stack(text, affine)
        notes = (*notes, cut) if cut else notes
        try:
            definitions = [d for row in rows or [text] for d in _read(equation, row, notes, usual)]
        except NotationError as error:
            read.reasons[number] = f"cannot be read: {error}".splitlines()[0]
            continue
        timed = [d for d in definitions if d.timed or any(s.time is not None for s in d.reads)]
        read.constants |= {d.target: equation.line for d in definitions if d not in timed}
        read.definitions_found += [(definition, number) for definition in timed]
        if not timed:
            read.reasons[number] = _reason(text, definitions)
    _rewrite(read, functions_told(document), affine)
    return read


def _rewrite(read: EquationsRead, told_letters: Collection[str], affine: frozenset[str]) -> None:
    """Write the equations that were read as they are meant, and leave those of single entries out."""
    blocks: dict[int, list[Definition]] = {}
    for definition, _ in read.definitions_found:
        blocks.setdefault(definition.displayed.block, []).append(definition)
    targets = {definition.target for definition, _ in read.definitions_found}
    functions = {block: applied_letters(rows, told_letters, targets) for block, rows in blocks.items()}
    definitions = [with_applied(d, functions[d.displayed.block]) for d, _ in read.definitions_found]
    definitions = [with_own_weights(with_bias_of_ones(d), affine) for d in definitions]
    definitions = with_states_of_the_next_step(with_results_of_this_step(with_whole_vectors(definitions)))
    left_out = entries_given_whole(definitions)
    numbers = [number for _, number in read.definitions_found]
    read.reasons |= {numbers[place]: reason for place, reason in left_out.items()}
    pairs = zip(definitions, numbers, strict=True)
    read.definitions_found = [pair for place, pair in enumerate(pairs) if place not in left_out]


def _reason(text: str, definitions: Collection[Definition]) -> str:
    """Say why a formula that can be read gives nothing."""
    if "matrix}" in text.partition("=")[0]:
        return "gives a stack of symbols at once, of which no row can be cut out: write one equation for each"
    if definitions:
        return "reads nothing with a time: a constant, or something of the whole sequence"
    unknown = _SEVERAL.search(text)
    if unknown is not None and unknown[1] not in ("max", "min", "LN", "LayerNorm"):
        return f"applies {unknown[1]} to several arguments, which has no meaning in a step"
    return "defines no symbol by others: numbers, a derivative or a part of a calculation"


def _read(equation: DisplayedEquation, text: str, notes: tuple[str, ...], usual: Mapping[str, int]) -> list[Definition]:
    """Read a row of a display. Raises NotationError."""
    text = without_loose_bracket(text)
    when = _WHEN.search(equation.text)
    if when is not None:
        raise NotationError(f"{when[0]!r}: what holds under a condition is no equation of every step", text, 1)
    condition = _CONDITION.search(_SUM.sub("", text))
    if condition is not None:
        raise NotationError(f"{condition[0]!r}: a condition below a symbol has no meaning in a step", text, 1)
    chains = parse(text)
    letter = _time_letter(text, usual)
    return [
        replace(definition, kinds=kinds, notes=(*definition.notes, *[_WITHOUT_SUMS] * bool(kinds)))
        for chain, part, kinds in _texts(text, chains, letter)
        for definition in definitions_of(equation, chain, part, letter, notes)
    ]


def without_loose_bracket(text: str) -> str:
    """Return a text without a bracket that closes nothing; another text as it is.

    Args:
        text: The LaTeX of a formula.
    """
    try:
        parse(text)
    except NotationError as error:
        if error.category == "unbalanced":
            mended = text[: error.column - 1] + text[error.column :]
            try:
                parse(mended)
            except NotationError:
                return text
            return mended
    return text


def _texts(text: str, chains: tuple[Chain, ...], letter: str) -> Iterator[tuple[Chain, str, dict[str, str]]]:
    """Yield the chains of a display with their own texts; those of entries with the sums over them as products."""
    for chain, following in zip(chains, (*chains[1:], None), strict=True):
        part = text
        if len(chains) > 1:
            part = text[chain.column - 1 : None if following is None else following.column - 1]
            part = re.sub(r"\\(?:begin|end)\{\w+\*?\}|\\q?quad\s*$|\\\\\s*$|&", "", part).strip(" ,.;\n\t")
        kinds: dict[str, str] = {}
        if len(chain.sides) == 2 and isinstance(chain.sides[0], Name):
            products = with_products(chain.sides[1], chain.sides[0], letter)
            if products is not None:
                tree, target, kinds = products
                chain = Chain((target, tree), chain.relations, chain.column)
                part = f"{surface_latex(target)} = {surface_latex(tree)}"
        yield chain, part, kinds


def _shifted_letters(text: str) -> list[str]:
    """Return the letters of time of which an equation adds or takes off one."""
    shifted = re.findall(r"[_^]\{?[^{}]*?[(\[]?([a-z])\s*[-+]\s*1[)\]]?", text)
    return [letter for letter in shifted if letter in TIME_LETTERS]


def _time_letter(text: str, usual: Mapping[str, int]) -> str:
    """Return the letter that counts time in an equation: the one of which something is added or taken off.

    Args:
        text: The equation, as the notation reads it.
        usual: How often the document adds something to a letter, or takes it off.
    """
    shifted = _shifted_letters(text)
    on_weights = [letter for letter in set(shifted) if re.search(_ON_A_WEIGHT.format(letter), text)]
    if set(on_weights) < set(shifted):  # layers have weights of their own, and times have not
        shifted = [letter for letter in shifted if letter not in on_weights]
    for letter in TIME_LETTERS:
        if letter in shifted:
            return letter
    among = [letter for letter in TIME_LETTERS if usual.get(letter)] or TIME_LETTERS
    printed = Counter(re.findall(r"_\{?\(?([a-z])\)?(?![A-Za-z])", text))
    return max(among, key=lambda letter: (printed[letter], letter == "t"))
