"""Every small edit of the references that a program can make: the mutants of which their tests must kill each.

An edit changes one node of a module's syntax tree. Left alone are annotations, docstrings, decorators, imports and what
the messages of errors say: none of them changes what a reference computes or refuses.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import rnn_harness

REFERENCES = Path(rnn_harness.__file__).parent / "references"
MODULES = tuple(
    path.stem for path in sorted(REFERENCES.glob("*.py")) if path.stem not in ("__init__", "array_types", "protocol")
)
"""The modules that compute; the others hold names, types and a protocol."""

_OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
_NAMES = {
    "add": "subtract", "subtract": "add", "multiply": "divide", "min": "max", "max": "min", "any": "all", "all": "any",
    "zeros": "ones", "zeros_like": "ones_like", "ones": "zeros", "concatenate": "stack", "exp": "expm1", "log": "log1p",
}  # fmt: skip
_TRANSPARENT = ("reversed", "ascontiguousarray", "asarray", "copy", "tuple", "list", "dict", "reshape", "sorted")
_BODIES = ("body", "orelse", "finalbody")
_LEFT_ALONE = ("annotation", "returns", "decorator_list", "type_params")


@dataclass(frozen=True)
class ReferenceEdit:
    """One edit of a module of the references.

    Attributes:
        module: the module's name.
        function: where it is: the module, the class if there is one, and the function.
        name: the edit in words: where it is, and the statement before and after.
        source: the edited module.
    """

    module: str
    function: str
    name: str
    source: str


def edits_of(module: str) -> Iterator[ReferenceEdit]:
    """Yield every edit of a module, in the order of the source.

    Args:
        module: one of `MODULES`.
    """
    tree = ast.parse((REFERENCES / f"{module}.py").read_text(encoding="utf-8"))
    counts: dict[str, int] = {}
    for where, statement, make in _sites(tree.body, module):
        before = _head(statement)
        undo = make()
        after = _head(statement)
        name = f"{where}: {before} -> {after if before != after else 'left out'}"
        counts[name] = counts.get(name, 0) + 1
        name = name if counts[name] == 1 else f"{name} ({counts[name]})"
        source = ast.unparse(ast.fix_missing_locations(tree))
        undo()
        yield ReferenceEdit(module, where, name, source)


Change = Callable[[], Callable[[], None]]
"""Makes an edit in the tree, and returns what takes it back."""


def _head(statement: ast.stmt) -> str:
    """The text of a statement; of one with a body, its first line."""
    text = ast.unparse(statement)
    return text.splitlines()[0] if hasattr(statement, "body") else " ".join(text.split())


def _sites(body: list[ast.stmt], where: str) -> Iterator[tuple[str, ast.stmt, Change]]:
    """Every change of statements, and of what they contain, with the function where it is."""
    for index, statement in enumerate(body):
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.AnnAssign) and not _is_assigned(statement):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            inner = f"{where}.{statement.name}"
            if isinstance(statement, ast.FunctionDef):
                for owner, field, position in _places(statement.args, statement):
                    yield from ((inner, statement, change) for change in _changes(owner, field, position))
            yield from _sites(statement.body, inner)
            continue
        if isinstance(statement, ast.Raise):
            continue
        if isinstance(statement, ast.Expr | ast.AugAssign) and not isinstance(
            getattr(statement, "value", 0), ast.Yield
        ):
            yield where, statement, _exchange(body, index, ast.Pass())
        for owner, field, position in _places(statement, statement):
            yield from ((where, statement, change) for change in _changes(owner, field, position))
        for name in _BODIES:
            yield from _sites(getattr(statement, name, []), where)


def _is_assigned(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.AnnAssign) or statement.value is None or _is_field(statement.value):
        return False
    return ast.unparse(statement.annotation) != "TypeAlias"


def _is_field(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "field"


Place = tuple[ast.AST, str, int | None]
"""A node's place: its owner, the owner's field, and the position in it where that is a list."""


def _places(node: ast.AST, statement: ast.stmt) -> Iterator[Place]:
    """Every place below a node that can be edited; bodies are walked by themselves."""
    for field, value in ast.iter_fields(node):
        if field in _LEFT_ALONE or (node is statement and field in _BODIES):
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for position, child in children:
            if isinstance(child, ast.AST):
                yield node, field, position
                yield from _places(child, statement)


def _put(owner: ast.AST, field: str, position: int | None, new: object) -> None:
    if position is None:
        setattr(owner, field, new)
    else:
        getattr(owner, field)[position] = new


def _exchange(body: list[ast.stmt], index: int, new: ast.stmt) -> Change:
    old = body[index]

    def change() -> Callable[[], None]:
        body[index] = new
        return lambda: body.__setitem__(index, old)

    return change


def _changes(owner: ast.AST, field: str, position: int | None) -> Iterator[Change]:
    """Every change of what is at a place."""
    value = getattr(owner, field)
    old = value if position is None else value[position]
    for new in _alternatives(old):
        yield _replacing(owner, field, position, old, new)
    if isinstance(old, ast.Call):
        for index in range(len(old.keywords)):
            kept = old.keywords[:index] + old.keywords[index + 1 :]
            yield _replacing(old, "keywords", None, old.keywords, kept)
    if field == "test":
        yield _replacing(owner, field, position, old, ast.UnaryOp(ast.Not(), old))
    if isinstance(old, ast.Slice):
        for bound in ("lower", "upper", "step"):
            if getattr(old, bound) is not None:
                yield _replacing(old, bound, None, getattr(old, bound), None)


def _replacing(owner: ast.AST, field: str, position: int | None, old: object, new: object) -> Change:
    def change() -> Callable[[], None]:
        _put(owner, field, position, new)
        return lambda: _put(owner, field, position, old)

    return change


def _alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    for operator in _OPERATORS.get(type(node), ()):
        yield operator()
    yield from _other_constants(node)
    yield from _parts(node)
    yield from _other_calls(node)


def _other_constants(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
            if value:
                yield ast.Constant(value - 1)
        case ast.Constant(value=str() as value):
            yield ast.Constant(f"{value}X")


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """A part of an operation instead of the whole."""
    match node:
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.BinOp(left=left, op=ast.BitOr() | ast.MatMult(), right=right):
            yield from (left, right)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.BoolOp(values=values):
            yield from values
        case ast.Attribute(value=value, attr="T"):
            yield value


def _other_calls(node: ast.AST) -> Iterator[ast.AST]:
    """Another function of the same arguments, or the argument itself."""
    match node:
        case ast.Name(id=("min" | "max" | "any" | "all") as name):
            yield ast.Name(_NAMES[name], node.ctx)
        case ast.Call(func=ast.Name(id=name), args=[argument, *_]) if name in _TRANSPARENT:
            yield argument
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name), args=[argument, *_]) if (
            name in _TRANSPARENT
        ):
            yield argument
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _TRANSPARENT:
            yield value
        case ast.Attribute(value=value, attr=name) if name in _NAMES:
            yield ast.Attribute(value, _NAMES[name], node.ctx)
