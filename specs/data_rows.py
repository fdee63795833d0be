"""Shipped data other than specs: lists of rows in a TOML file, each checked by its model."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from rnn_harness.specs.spec import SpecError

Row = TypeVar("Row", bound=BaseModel)


def load_rows(file: str, key: str, model: type[Row]) -> tuple[Row, ...]:
    """Read the rows of a shipped file.

    Args:
        file: the name of the file in the data folder.
        key: the key of the rows in the file.
        model: the model of a row.

    Raises:
        SpecError: if the file is damaged.
    """
    path = Path(str(resources.files("rnn_harness.specs") / "data" / file))
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))[key]
        return tuple(model.model_validate(row) for row in rows)
    except (KeyError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SpecError(path, None, f"its rows of {key} cannot be read: {error}") from None
