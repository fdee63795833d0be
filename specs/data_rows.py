"""Shipped data that is no spec: lists of rows in a TOML file, each checked by its model."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from rnn_harness.specs.spec import SpecError

Row = TypeVar("Row", bound=BaseModel)


def rows_of(file: str, key: str, model: type[Row]) -> tuple[Row, ...]:
    """The rows under `key`. Raises SpecError if the file is damaged."""
    path = Path(str(resources.files("rnn_harness.specs") / "data" / file))
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))[key]
        return tuple(model.model_validate(row) for row in found)
    except (KeyError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SpecError(path, None, f"its rows of {key} cannot be read: {error}") from None
