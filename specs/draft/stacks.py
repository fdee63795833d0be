r"""Gates printed as one stack: ``(i; f; o; g) = (\sigma; \sigma; \sigma; \tanh) (W [x; h] + b)`` is four equations."""

from __future__ import annotations

import re

_MATRIX = r"\\begin\{{[bp]?matrix\}}(?P<{0}>.*?)\\end\{{[bp]?matrix\}}"
_STACK = re.compile(
    rf"^\s*{_MATRIX.format('targets')}\s*&?\s*=\s*&?\s*(?:{_MATRIX.format('functions')})?"
    r"\s*(?:\\(?:circ|odot|cdot)(?![A-Za-z]))?\s*(?P<rest>.+?)[\s.,;]*$",
    re.DOTALL,
)
_FUNCTION = re.compile(
    r"(?:\\(?:operatorname|mathrm|text|textrm|mathsf)\s*\{\s*\w+\s*\}|\\[A-Za-z]+|[A-Za-z]+)(?:_\{?\w+\}?)?"
)
_FONTED = (
    r"(?:\\(?:mathbf|bm|boldsymbol|mathrm)\s*\{\s*[A-Za-z]\s*\}|\\(?:mathbf|bm)\s*[A-Za-z]|(?<![A-Za-z\\{])[A-Za-z])"
)
_WEIGHT = re.compile(
    rf"(?P<letter>{_FONTED})(?P<below>_(?:\{{[^{{}}]*\}}|[A-Za-z0-9]))?(?P<above>\^(?:\{{[^{{}}]*\}}|\w))?"
)
_INNER = re.compile(r"\\begin\{[bp]?matrix\}.*?\\end\{[bp]?matrix\}", re.DOTALL)
_APPLIED = re.compile(r"\\(?:tanh|sigma|phi|varphi|psi|operatorname\{\w+\})(?![A-Za-z])\s*(?=\\left|\()")
_TIME = re.compile(r"(?<![A-Za-z\\])t(?![A-Za-z])")


def rows_of_stack(text: str, affine: frozenset[str]) -> tuple[list[str], str]:
    """Write an equation of a stack as one equation for each symbol of the stack.

    Args:
        text: The equation, as the notation reads it.
        affine: Letters of which the text says that they are maps with a matrix and a bias.

    Returns:
        The equations, and in words what was cut; none where the left side is no stack, or where what stands on the
        right mixes the rows, as a normalisation of the whole stack does.
    """
    match = _STACK.match(text)
    if match is None:
        return [], ""
    targets = [target.strip() for target in re.split(r"\\\\", match["targets"])]
    functions = (
        [f.strip() for f in re.split(r"\\\\", match["functions"])] if match["functions"] else [""] * len(targets)
    )
    if len(functions) != len(targets) or not all(f == "" or _FUNCTION.fullmatch(f) for f in functions):
        return [], ""
    product = match["rest"].strip()
    shared = _APPLIED.match(product)
    if not match["functions"] and shared is not None and _is_enclosed(product[shared.end() :]):
        functions, product = [shared[0].strip()] * len(targets), product[shared.end() :]
    if re.search(r"\\operatorname|\\(?:tanh|sigma|exp)(?![A-Za-z])", product):
        return [], ""
    product = re.sub(r"^\(|^\\left\s*\(|(\\right\s*)?\)$", "", product) if _is_enclosed(product) else product
    rows, cut = [], dict[str, None]()
    for place, (target, function) in enumerate(zip(targets, functions, strict=True)):
        row = _row(_with_rows(product, place, len(targets)), _labels(targets)[place], affine, cut)
        inner = f"{_function(function)}({row})" if function else row
        rows.append(f"{target} = {inner}")
    if not cut:
        return rows, f"the stack of {', '.join(targets)} is written as one equation for each"
    verb = "is" if len(cut) == 1 else "are"
    return rows, f"{', '.join(cut)} {verb} cut into the rows of {', '.join(targets)}: each has weights of its own"


def _labels(targets: list[str]) -> list[str]:
    """Return the label of every row: the letter of its target, with the row's number where two share a letter."""
    bare = [re.sub(r"_\{?[^{}]*\}?|\^\{?[^{}]*\}?", "", target) for target in targets]
    letters = [re.sub(r"\\[A-Za-z]+|[^A-Za-z]", "", text) for text in bare]
    return [
        letter if letter and letters.count(letter) == 1 else f"{letter or 'row'},{place}"
        for place, letter in enumerate(letters, 1)
    ]


def _with_rows(text: str, place: int, count: int) -> str:
    """Return the right side with one row of every stack of weights, which has as many rows as the left side."""

    def row(match: re.Match[str]) -> str:
        entries = re.split(r"\\\\", re.sub(r"\\(?:begin|end)\{\w+\}", "", match[0]))
        if len(entries) != count or _TIME.search(match[0]):
            return match[0]
        return f"\\begin{{pmatrix}}{entries[place]}\\end{{pmatrix}}"

    return _INNER.sub(row, text)


def _is_enclosed(text: str) -> bool:
    """Say whether the first parenthesis of a text is closed by its last sign."""
    inner = re.sub(r"\\(?:left|right)\s*", "", text)
    if not inner.startswith("(") or not inner.endswith(")"):
        return False
    depth = 0
    for place, sign in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if not depth:
            return place == len(inner) - 1
    return False


def _without_frame(stack: str) -> str:
    """Return the only row of a stack; a stack of several as it is."""
    return stack if "\\\\" in stack else re.sub(r"\\(?:begin|end)\{\w+\}", " ", stack)


def _function(text: str) -> str:
    r"""Return a function as it is written before a parenthesis: ``\mathrm{sigm}`` is ``\operatorname{sigm}``."""
    word = re.fullmatch(r"\\\w+\s*\{\s*(\w+)\s*\}|([A-Za-z]{2,})", text)
    return rf"\operatorname{{{word[1] or word[2]}}}" if word else text


def _row(text: str, label: str, affine: frozenset[str], cut: dict[str, None]) -> str:
    """Return the right side of one row: every weight of it carries the row's label."""
    stacks: list[str] = []

    def keep(match: re.Match[str]) -> str:
        stacks.append(match[0])
        return f"@{len(stacks) - 1}@"

    def weight(match: re.Match[str]) -> str:
        below, above = (match["below"] or "")[1:].strip("{}"), match["above"] or ""
        letter = re.sub(r"\\\w+|[{}\s]", "", match["letter"])
        if _TIME.search(f"{below} {above}") and letter not in affine:
            return match[0]
        cut.setdefault(f"{letter}_{below}" if below and letter not in affine else letter)
        if letter in affine:
            return f"W_{{{label}}}"
        return f"{match['letter']}_{{{','.join(filter(None, (below, label)))}}}{above}"

    bare = _WEIGHT.sub(weight, _INNER.sub(keep, text))
    result = re.sub(r"@(\d+)@", lambda match: _without_frame(stacks[int(match[1])]), bare)
    return f"{result} + b_{{{label}}}" if any(letter in cut for letter in affine) else result
