"""Read docstrings: which arguments and fields of public functions and classes no section explains.

``python -m tests.repository.docstring_gaps`` lists them, by file and line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.repository.source_tree import Module, modules

_ENTRY = re.compile(r"^\s{4}(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*)(?: \([^)]*\))?:")
_FILLER = re.compile(r"^\s{4}(\w+): (?:The|A|An|Its|Their) \1\.$", re.MULTILINE)


@dataclass(frozen=True)
class Gap:
    """A docstring that leaves something out.

    Attributes:
        where: The file and the line of the definition.
        name: The function, with its class before it, or the class.
        missing: The section that lacks something, and the names it lacks.
    """

    where: str
    name: str
    missing: str

    def __str__(self) -> str:
        return f"{self.where} {self.name}: {self.missing}"


def named_in(docstring: str, section: str) -> set[str]:
    """Return the names that a section of a docstring explains, stars left out.

    Args:
        docstring: A docstring without its indentation, as ``ast.get_docstring`` gives it.
        section: The section's heading, such as ``"Args"``.
    """
    _, heading, body = f"\n{docstring}\n".partition(f"\n{section}:\n")
    names: set[str] = set()
    for line in body.splitlines() if heading else ():
        if line and not line.startswith(" "):
            break
        if entry := _ENTRY.match(line):
            names |= {name.strip("* ").rpartition(".")[2] for name in entry[1].split(",")}
    return names


@dataclass(frozen=True)
class ClassSource:
    """A class of the package, with the classes of the package that it is made from.

    Attributes:
        module: The module that defines it.
        node: Its definition.
    """

    module: Module
    node: ast.ClassDef

    @cached_property
    def methods(self) -> dict[str, ast.FunctionDef]:
        """The methods and properties that its body defines, by name."""
        return {node.name: node for node in self.node.body if isinstance(node, ast.FunctionDef)}

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Its fields, and what ``__init__`` sets, which may stand in the place of methods and properties."""
        constructor = self.methods.get("__init__")
        stored = (node for node in ast.walk(constructor) if isinstance(node, ast.Attribute)) if constructor else ()
        return frozenset([*_fields(self.node), *(node.attr for node in stored if isinstance(node.ctx, ast.Store))])

    @cached_property
    def base_names(self) -> tuple[str, ...]:
        """The names of its bases, without type arguments and without the module before them."""
        plain = (base.value if isinstance(base, ast.Subscript) else base for base in self.node.bases)
        return tuple(ast.unparse(base).rpartition(".")[2] for base in plain)

    @cached_property
    def is_protocol(self) -> bool:
        """Whether it says what other classes offer."""
        return "Protocol" in self.base_names


class Docstrings:
    """The docstrings of modules, and what they leave out.

    Args:
        sources: The modules to read. A base class that is not in them documents nothing.
    """

    def __init__(self, sources: Sequence[Module]) -> None:
        self._sources = sources
        self._classes: dict[str, list[ClassSource]] = {}
        for module in sources:
            for node in module.nodes:
                if isinstance(node, ast.ClassDef):
                    self._classes.setdefault(node.name, []).append(ClassSource(module, node))
        self._protocols = [source for same in self._classes.values() for source in same if source.is_protocol]
        self._documenting_classes: dict[int, list[ClassSource]] = {}
        options = {(module.name, name) for module in sources for name in _option_types(module)}
        self._option_names = {module.name: _option_names(module, options) for module in sources}

    def gaps(self) -> Iterator[Gap]:
        """Yield what is missing, module by module."""
        for module in self._sources:
            yield from self._gaps_of_body(module, module.tree.body, None)

    def _gaps_of_body(self, module: Module, body: list[ast.stmt], owner: ClassSource | None) -> Iterator[Gap]:
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                source = ClassSource(module, node)
                yield from self._gaps_of_class(source)
                yield from self._gaps_of_body(module, node.body, source)
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield from self._gaps_of_function(module, node, owner)

    def _gaps_of_function(self, module: Module, node: ast.FunctionDef, owner: ClassSource | None) -> Iterator[Gap]:
        where, name = f"{module.where}:{node.lineno}", f"{owner.node.name}.{node.name}" if owner else node.name
        with_help = self._with_help(module, node)
        explained = named_in(_docstring(node), "Args") | with_help
        arguments = [argument for argument in _arguments(node) if argument not in explained]
        if arguments and not _is_overload(node) and not self._is_documented_in_base(owner, node.name):
            yield Gap(where, name, f"Args lack {', '.join(arguments)}")
        # What a user reads as the help of a command is no place for the errors that end it.
        raised = set() if with_help else _raised(node) - named_in(_docstring(node), "Raises")
        if owner is not None and raised:
            for base in self._documenting(owner):
                if node.name in base.methods:
                    raised -= named_in(_docstring(base.methods[node.name]), "Raises")
        yield from self._fillers(where, name, node)
        if raised:
            yield Gap(where, name, f"Raises lack {', '.join(sorted(raised))}")

    def _fillers(self, where: str, name: str, node: ast.FunctionDef | ast.ClassDef) -> Iterator[Gap]:
        """Yield the entries that only say their name again, as ``cell: The cell.``."""
        if fillers := _FILLER.findall(_docstring(node)):
            yield Gap(where, name, f"nothing is said of {', '.join(fillers)}")

    def _gaps_of_class(self, source: ClassSource) -> Iterator[Gap]:
        docstring = _docstring(source.node)
        where = f"{source.module.where}:{source.node.lineno}"
        yield from self._fillers(where, source.node.name, source.node)
        fields = [name for name, annotation in _fields(source.node).items() if not _says_its_value(annotation)]
        known = set[str]().union(*(named_in(_docstring(base.node), "Attributes") for base in self._ancestry(source)))
        unexplained = [name for name in fields if name not in known]
        if len(fields) >= 2 and unexplained:
            yield Gap(where, source.node.name, f"Attributes lack {', '.join(unexplained)}")
        constructor = source.methods.get("__init__")
        explained = named_in(docstring, "Args") | named_in(docstring, "Attributes")
        if constructor is not None:
            explained |= named_in(_docstring(constructor), "Args")
            arguments = [name for name in _arguments(constructor) if name not in explained]
            if arguments:
                yield Gap(where, source.node.name, f"Args lack {', '.join(arguments)}")

    def _with_help(self, module: Module, node: ast.FunctionDef) -> set[str]:
        """Return the arguments whose annotation holds their help, as the options of a command do."""
        options = self._option_names[module.name]
        return {
            argument.arg
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            if argument.annotation is not None
            if _has_help(argument.annotation) or ast.unparse(argument.annotation) in options
        }

    def _ancestry(self, source: ClassSource) -> Iterator[ClassSource]:
        """Yield a class, then the classes that it inherits from, the nearest first."""
        yield source
        for name in source.base_names:
            for base in self._classes.get(name, ()):
                yield from self._ancestry(base)

    def _satisfies(self, source: ClassSource, protocol: ClassSource) -> bool:
        """Say whether a class has each public method of a protocol, with arguments of the same names.

        A class satisfies a Protocol by what it has, so it need not name it as its base.
        """
        ancestry = list(self._ancestry(source))
        methods = {name: node for ancestor in reversed(ancestry) for name, node in ancestor.methods.items()}
        attributes = frozenset[str]().union(*(ancestor.attributes for ancestor in ancestry))
        asked = {name: _arguments(node) for name, node in protocol.methods.items() if not name.startswith("_")}
        return bool(asked) and all(
            _arguments(methods[name]) == arguments if name in methods else name in attributes
            for name, arguments in asked.items()
        )

    def _documenting(self, owner: ClassSource) -> list[ClassSource]:
        """Return the classes that a class inherits from, and the protocols that it satisfies."""
        if id(owner.node) in self._documenting_classes:
            return self._documenting_classes[id(owner.node)]
        protocols = (
            protocol
            for protocol in self._protocols
            if protocol.node is not owner.node and self._satisfies(owner, protocol)
        )
        classes = [*list(self._ancestry(owner))[1:], *protocols]
        self._documenting_classes[id(owner.node)] = classes
        return classes

    def _is_documented_in_base(self, owner: ClassSource | None, method: str) -> bool:
        """Say whether a class or Protocol that an owner is made from, or satisfies, explains a method's arguments."""
        nodes = (base.methods.get(method) for base in self._documenting(owner)) if owner else ()
        return any(node is not None and set(_arguments(node)) <= named_in(_docstring(node), "Args") for node in nodes)


def _docstring(node: ast.FunctionDef | ast.ClassDef) -> str:
    return ast.get_docstring(node) or ""


def _arguments(node: ast.FunctionDef) -> list[str]:
    """Return the arguments that a docstring must explain.

    Not among them: the object itself, and those with a leading underscore, which the function does not use.
    """
    plain = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    starred = [argument for argument in (node.args.vararg, node.args.kwarg) if argument is not None]
    return [
        argument.arg
        for argument in [*plain, *starred]
        if argument.arg not in ("self", "cls") and not argument.arg.startswith("_")
    ]


def _raised(node: ast.FunctionDef) -> set[str]:
    """Return the names of the exceptions that a function raises itself, those of functions inside of it left out."""
    raised: set[str] = set()
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.FunctionDef | ast.ClassDef):
            continue
        if isinstance(part, ast.Raise) and part.exc is not None:
            error = part.exc.func if isinstance(part.exc, ast.Call) else part.exc
            name = ast.unparse(error).rpartition(".")[2]
            # A variable holds an error that somebody else raised; what is not implemented is for heirs to say.
            raised |= {name} if name[:1].isupper() and name != "NotImplementedError" else set()
        # An error is raised by a statement, and no expression holds one: theirs are most of the nodes.
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(part, block, ())
    return raised


def _has_help(annotation: ast.expr) -> bool:
    return (
        isinstance(annotation, ast.Subscript)
        and ast.unparse(annotation.value) == "Annotated"
        and any(isinstance(node, ast.keyword) and node.arg == "help" for node in ast.walk(annotation))
    )


def _option_names(module: Module, options: set[tuple[str, str]]) -> set[str]:
    """Return the names by which a module knows annotations with a help text, defined in it or imported."""
    return {name for home, name in options if home == module.name} | {
        alias.asname or alias.name
        for imported in module.nodes
        if isinstance(imported, ast.ImportFrom)
        for alias in imported.names
        if (imported.module, alias.name) in options
    }


def _option_types(module: Module) -> Iterator[str]:
    """Yield the names that a module gives to annotations with a help text."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and _has_help(node.value):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _is_overload(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)


def _fields(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Return the annotations of the public fields of a class; constants of the class are no fields."""
    return {
        item.target.id: item.annotation
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and not item.target.id.startswith("_")
        if not ast.unparse(item.annotation).startswith("ClassVar")
    }


def _says_its_value(annotation: ast.expr) -> bool:
    """Say whether a field has one possible value, as ``kind: Literal["speed"]``, which needs no explanation."""
    return (
        isinstance(annotation, ast.Subscript)
        and ast.unparse(annotation.value) == "Literal"
        and isinstance(annotation.slice, ast.Constant)
    )


if __name__ == "__main__":
    for gap in Docstrings(modules()).gaps():
        print(gap)
