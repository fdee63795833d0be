"""A file of a package that imports its neighbours, relatively or by the package's name: it is loaded as part of it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from rnn_harness.attributes import member
from rnn_harness.errors import UsageError, first_line


def package_of(path: Path) -> Path | None:
    """Return the folder of the outermost package that a file belongs to.

    Args:
        path: A Python file.

    Returns:
        The folder; None where the file imports nothing of a package around it, and so can be loaded by itself.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):  # loading it reports that
        return None
    levels = [node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    depth, folders = max(levels, default=0), list(path.resolve().parents)
    if depth == 0:
        return _named_package(tree, folders)
    while depth < len(folders) and (folders[depth] / "__init__.py").is_file() and folders[depth].name.isidentifier():
        depth += 1
    return folders[depth - 1]


def _named_package(tree: ast.Module, folders: list[Path]) -> Path | None:
    """Return the nearest folder around a file that it imports from by name (``from common.layers import f``)."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    # What the name alone would find is another package, as a folder that is called torch.
    tops = {top for name in names if (top := name.partition(".")[0]) and importlib.util.find_spec(top) is None}
    return next((folder for folder in folders if folder.name in tops), None)


def import_in_package(path: Path, package: Path) -> ModuleType:
    """Import a file as a module of its package.

    Where the package itself cannot be imported, because it needs what is not installed for instance, its folders are
    taken without running what their ``__init__.py`` holds.

    Args:
        path: The file.
        package: The folder of the outermost package.

    Raises:
        UsageError: It cannot be imported, or another package of that name is loaded already.
    """
    parts = path.resolve().relative_to(package.parent).with_suffix("").parts
    names = parts[:-1] if parts[-1] == "__init__" else parts
    full_name = ".".join(names)
    loaded = sys.modules.get(names[0])
    folders = member(loaded, "__path__") if hasattr(loaded, "__path__") else ()
    if loaded is not None and str(package) not in map(str, folders):
        raise UsageError(
            f"{path} is a part of the package {names[0]!r} in {package}, but another {names[0]!r} is loaded already: "
            f"rename the folder, or give package.module:Name"
        )
    sys.path.insert(0, str(package.parent))
    importlib.invalidate_caches()
    try:
        try:
            return importlib.import_module(full_name)
        except (Exception, SystemExit):  # what its __init__ holds may raise anything
            _make_bare(names, package)
            return importlib.import_module(full_name)
    except (Exception, SystemExit) as error:  # so may the file
        raise UsageError(f"{path} cannot be loaded: {type(error).__name__}: {first_line(error)}") from None
    finally:
        sys.path.remove(str(package.parent))


def _make_bare(names: tuple[str, ...], package: Path) -> None:
    """Replace the packages around a module by empty ones that know their folders alone."""
    for name in [name for name in sys.modules if name == names[0] or name.startswith(f"{names[0]}.")]:
        del sys.modules[name]
    for length in range(1, len(names)):
        bare = ModuleType(".".join(names[:length]))
        bare.__path__ = [str(package.parent.joinpath(*names[:length]))]
        sys.modules[bare.__name__] = bare
