"""A target of a suite as it was judged in the environment of its package: the validation, or why there is none."""

from __future__ import annotations

import gzip
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rnn_harness.errors import UsageError
from rnn_harness.records.record_document import parse_document
from rnn_harness.records.validation import Validation
from rnn_harness.runtime.atomic_file import replaced_when_complete
from rnn_harness.runtime.input_file import unreadable_file

Ending = Literal["agrees", "consistent", "refuted", "undecided", "not driven", "not judged"]
"""How a target ended: a verdict; ``not driven`` where it cannot be loaded or called as it was asked for; ``not judged``
where its environment or its process did not come to that."""
ENDINGS: tuple[Ending, ...] = typing.get_args(Ending)


class JudgedTarget(BaseModel):
    """What came of a target of a suite.

    Attributes:
        name: The target with its options.
        package: The distribution that it comes from.
        version: The version of that distribution; empty where its environment was not made.
        environment: The environment, by its name in the suite.
        target: What was validated.
        init: Options of its constructor, as ``key=value``.
        ending: How it ended.
        reason: Why there is no validation; empty where there is one.
        validation: All that was decided.
        review: What a person who looked at a refutation says of it.
        versions: The versions that may change an outcome, in its environment.
        date: When it ended, in UTC: ``2026-11-29T09:30:00Z``.
        seconds: What it took.
        depends_on: A digest of the target, the options of the run, the packages of its environment and this program.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    name: str
    package: str
    version: str = ""
    environment: str
    target: str
    init: tuple[str, ...] = ()
    ending: Ending
    reason: str = ""
    validation: Validation | None = None
    review: str = ""
    versions: str = ""
    date: str = ""
    seconds: float = 0.0
    depends_on: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two of them answers to the same question: the environment, and the target with its options."""
        return self.environment, self.name


def read_judged_targets(path: Path) -> list[JudgedTarget]:
    """Read the targets of a file, of which the last line may be cut off; of two answers the later counts.

    Args:
        path: JSON Lines, compressed where the name ends in ``.gz``.

    Raises:
        UsageError: It cannot be read, or a line that is not the last is no such result.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", errors="replace")
    except (gzip.BadGzipFile, EOFError) as error:
        raise UsageError(f"cannot read judged targets from {path}: {error}") from None
    except OSError as error:
        raise unreadable_file(path, "judged targets", error) from None
    judged: dict[tuple[str, str], JudgedTarget] = {}
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = parse_document(JudgedTarget, line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"{path}:{number}: no judged target: {where}: {first['msg']}") from None
        except ValueError as error:
            if number == len(lines) and not text.endswith("\n"):
                break  # a run was killed while it wrote
            raise UsageError(f"{path}:{number}: no judged target: {error}") from None
        judged.pop(row.key, None)
        judged[row.key] = row
    return list(judged.values())


def write_judged_targets(path: Path, judged: Iterable[JudgedTarget]) -> None:
    """Write targets as compressed JSON Lines, whole or not at all; the same targets give the same bytes.

    Args:
        path: A file whose name ends in ``.gz``.
        judged: The targets, in their order.

    Raises:
        OSError: The disk does not take it.
    """
    text = "".join(f"{row.model_dump_json()}\n" for row in judged)
    with replaced_when_complete(path) as partial:
        partial.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
