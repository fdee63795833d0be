"""Equal values of many records, held once: a report of half a million records fits into a gigabyte."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TypeGuard

from rnn_harness.cases.case import Case
from rnn_harness.records.record import Record

_REPEATED = ("entry", "spec", "check", "environment", "kernel", "dtype", "device", "ran", "depends_on", "reason")
"""Fields whose texts come again in other records."""


class SharedValues:
    """Makes records that share what is equal in them."""

    def __init__(self) -> None:
        self._cases: dict[Case, Case] = {}
        self._fields_set = set(Record.model_fields)

    def record(self, data: object) -> Record:
        """Make a record.

        Args:
            data: Its fields as JSON has them.

        Raises:
            ValueError: They are no record.
        """
        if not _is_object(data):
            return Record.model_validate(data)
        fields = dict(data)
        for name in _REPEATED:
            text = fields.get(name)
            if isinstance(text, str):
                fields[name] = sys.intern(text)
        if fields.get("case") is not None:
            case = Case.model_validate(fields["case"])
            fields["case"] = self._cases.setdefault(case, case)
        record = Record.model_validate(fields)
        # pydantic remembers for every object which fields were given, in a set that is larger than the fields.
        object.__setattr__(record, "__pydantic_fields_set__", self._fields_set)
        return record


def _is_object(data: object) -> TypeGuard[Mapping[str, object]]:
    """Say whether a value is a JSON object."""
    return isinstance(data, dict)
