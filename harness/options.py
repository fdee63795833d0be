"""Arguments that are handed on by name, whatever they are: to a constructor, to an adapter, to a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Options: TypeAlias = Mapping[str, object]
"""Options of a constructor or an adapter, as ``--init`` gives them."""

OptionTable: TypeAlias = dict[str, object]
"""Options while they are collected."""

Keywords: TypeAlias = Mapping[str, object]
"""Keyword arguments of a call."""
