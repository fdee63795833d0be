"""Nothing that only Unix has is needed where a module is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.repository.source_tree import modules

UNIX_ALONE = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def _imported(module: ast.Module) -> Iterator[str]:
    """Yield the modules that are imported wherever a module is, not only where a function runs or a condition holds."""
    for statement in module.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            yield (statement.module or "").partition(".")[0]


def test_no_module_needs_what_only_unix_has_to_be_imported() -> None:
    needed = {
        f"{module.where}: {name}" for module in modules() for name in _imported(module.tree) if name in UNIX_ALONE
    }
    assert needed == set()


def test_what_is_looked_for_would_be_found() -> None:
    program = "import os\nimport fcntl, sys\nfrom resource import setrlimit\n\ndef f():\n    import pwd\n"
    assert set(_imported(ast.parse(program))) & UNIX_ALONE == {"fcntl", "resource"}
