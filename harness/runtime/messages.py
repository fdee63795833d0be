"""Messages from a worker: plain data of declared types, bounded in size, checked when they are read.

A message is its length in four bytes and a JSON object with the name of its type and its fields. Nothing in it is run,
whatever wrote it; pickles, which run code where they are read, go only the other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import PydanticSerializationError, from_json

from rnn_harness.printable import printable_values

Message = TypeVar("Message")

LENGTH_BYTES = 4
LARGEST_MESSAGE = 2**26
"""Bytes of one message; the largest of real ones, a record with a program and a traceback, has some ten thousand."""
MOST_BYTES = 2**28
"""Bytes of all messages of one worker."""


class UnreadableMessage(ValueError):
    """What a worker sent is none of the messages that it may send."""


class MessageTypes(Generic[Message]):
    """The messages that a worker may send.

    Args:
        *types: Dataclasses and pydantic models with different names.
    """

    def __init__(self, *types: type[Message]) -> None:
        config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")
        self._envelopes: dict[str, type[BaseModel]] = {
            message_type.__name__: create_model(message_type.__name__, __config__=config, value=(message_type, ...))
            for message_type in types
        }

    def encode(self, message: Message) -> bytes:
        """Return a message with its length before it.

        Args:
            message: One of the declared types; characters that UTF-8 lacks are written as escapes.
        """
        name = type(message).__name__
        envelope = self._envelopes[name].model_construct(value=message)
        try:
            value = envelope.model_dump_json()
        except PydanticSerializationError:  # a lone surrogate in a text of the target's
            cleaned = self._envelopes[name].model_validate(printable_values(envelope.model_dump()))
            value = cleaned.model_dump_json()
        data = f'{{"type":"{name}","fields":{value}}}'.encode()
        return len(data).to_bytes(LENGTH_BYTES, "big") + data

    def decode(self, data: bytes) -> Message:
        """Read a message; every text in it is made printable.

        Args:
            data: What `encode` returned, without the length.

        Raises:
            UnreadableMessage: It is no message of a declared type.
        """
        try:
            document = from_json(data)
            envelope = self._envelopes[document["type"]].model_validate(printable_values(document["fields"]))
            message: Message = envelope.value  # type: ignore[attr-defined]
        except (ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnreadableMessage(f"{type(error).__name__} in {data[:60]!r}") from None
        return message


class FrameBuffer:
    """Bytes that came from a worker, cut into messages as soon as they are whole."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._total = 0

    def add(self, chunk: bytes) -> Iterator[bytes]:
        """Take more bytes, and yield the messages that are whole now.

        Args:
            chunk: What was read.

        Raises:
            UnreadableMessage: A message, or all of them, are larger than any that is meant.
        """
        self._bytes += chunk
        self._total += len(chunk)
        if self._total > MOST_BYTES:
            raise UnreadableMessage(f"more than {MOST_BYTES // 2**20} MiB of messages")
        while len(self._bytes) >= LENGTH_BYTES:
            length = int.from_bytes(self._bytes[:LENGTH_BYTES], "big")
            if length > LARGEST_MESSAGE:
                raise UnreadableMessage(f"a message of {length} bytes")
            end = LENGTH_BYTES + length
            if len(self._bytes) < end:
                return
            frame = bytes(self._bytes[LENGTH_BYTES:end])
            del self._bytes[:end]
            yield frame
