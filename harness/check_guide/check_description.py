"""The description of a check, and what the groups of checks are about."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS: dict[str, str] = {
    "text": "the print of a document: does it parse, do its shapes fit, is every erratum found",
    "equation": "one equation by itself, without a reference",
    "example": "worked numbers of a document",
    "table": "tables of a document",
    "program": "programs that a document prints",
    "shapes": "shapes that a document declares",
    "identity": "sums and derivatives that a document prints",
    "loss": "the loss of a document",
    "facts": "facts that decide claims of the documents by one computation",
    "equivalence": "pairs of specs that are equal, or are not",
    "forward": "the forward pass of a reference",
    "backward": "every gradient",
    "metamorphic": "properties that tie runs of one subject together, whatever its numbers",
    "precision": "the precision of a kernel or a candidate in its format",
    "scale": "realistic sizes: long sequences, large layers, large states",
    "behaviour": "runtime behaviour: memory, modes, transformations, rows that are not finite",
    "kernel": "whether the kernel that was asked for is the one that ran",
    "process": "how the process of a target ended",
    "numbers": "numbers of a candidate, evaluated in the process that waits for it",
    "identification": "what a candidate computes",
    "consistency": "what holds for every recurrent cell, asked where no equation is known",
    "model": "the recurrent parts of a model",
    "wiring": "what a model does around its recurrent parts",
    "weights": "trained weights of the user",
    "expected-failure": "known failures that were declared",
}
"""The groups of checks, by the first part of a check's name, and what each is about."""


@dataclass(frozen=True)
class CheckDescription:
    """What a reader should know of a check.

    Attributes:
        name: Its id, as ``backward.bound``.
        summary: What it does and what must hold, as a sentence.
        bound: What an error is measured against, and so what refutes.
        detail: More about it, as a formula of its property; empty where the summary says everything.
        witness: Who speaks; empty where that depends on the subject.
        dtypes: The formats in which it can be decided; empty where it has none.
        kills: The mutants of references that it must refute on its own.
    """

    name: str
    summary: str
    bound: str
    detail: str = ""
    witness: str = ""
    dtypes: tuple[str, ...] = ()
    kills: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The first part of its name; the names of facts have no parts."""
        first, dot, _ = self.name.partition(".")
        return first if dot or first in GROUPS else "facts"
