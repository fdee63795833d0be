"""What the help of each command says besides its options: one line for the list, examples, exit codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CommandHelp:
    """What the help says of a command.

    Attributes:
        summary: One line for the list of commands; at most 60 characters, so that it is nowhere cut.
        success: What exit code 0 means.
        refuted: What exit code 1 means; empty where the command never ends with it.
        undecided: What exit code 3 means; empty where the command never ends with it.
        examples: Command lines without the program's name, each with what it is for; empty where that is plain.
    """

    summary: str
    success: str
    refuted: str = ""
    undecided: str = ""
    examples: tuple[tuple[str, str], ...] = ()

    @property
    def epilog(self) -> str:
        """The examples and the exit codes, as they stand at the end of the help."""
        return "\n\n".join(part for part in (examples_text(self.examples), self.exit_codes) if part)

    @property
    def exit_codes(self) -> str:
        """The exit codes in the order of their numbers."""
        meanings = {
            0: self.success,
            1: self.refuted,
            2: "wrong use",
            3: self.undecided,
            4: "an error of the harness itself",
            130: "interrupted",
            141: "the output pipe was closed",
        }
        return f"Exit codes: {'; '.join(f'{code} {meaning}' for code, meaning in meanings.items() if meaning)}."


def examples_text(examples: tuple[tuple[str, str], ...]) -> str:
    """Write examples as lines that the help does not break.

    Args:
        examples: Command lines without the program's name, each with what it is for.
    """
    if not examples:
        return ""
    width = max((len(line) for line, answer in examples if answer), default=0)
    lines = [
        f"  rnn-harness {line:<{width}}  # {answer}" if answer else f"  rnn-harness {line}" for line, answer in examples
    ]
    return "\n".join(["\b", "Examples:", *lines])


PROGRAM = CommandHelp(
    "",
    success="nothing refuted",
    refuted="something refuted",
    undecided="nothing could be decided",
    examples=(
        ("validate my_gru.py:MyGRU", "is my cell right?"),
        ("compare my_gru.py:MyGRU torch.nn:GRU", "the same function?"),
        ("verify lstm.column", "equations as printed"),
        ("bench", "RNN, GRU and LSTM"),
    ),
)
"""What the help of the program itself says; each command says what the exit codes mean for it."""

COMMANDS: dict[str, CommandHelp] = {
    "validate": CommandHelp(
        "Check a cell: its forward, its gradients, its precision.",
        success="it agrees",
        refuted="it is refuted",
        undecided="undecided, or only consistent (of several cells the worst counts)",
        examples=(
            ("validate my_gru.py:MyGRU", "as whatever it is"),
            ("validate my.py:Cell --spec mine.toml", "by your equations"),
            ("validate torch.nn:GRU --init num_layers=2", "a model"),
            ("validate my.py --all --json cells.json", "all cells of a file"),
        ),
    ),
    "identify": CommandHelp(
        "Name what a cell computes: family, variant, gate order.",
        success="it is known",
        refuted="it equals a known cell but for a mistake",
        undecided="it is unknown (of several cells the worst counts)",
        examples=(
            ("identify torch.nn:GRUCell", "which GRU is it?"),
            ("identify my.py", "each cell of a file"),
        ),
    ),
    "compare": CommandHelp(
        "Compare two cells: the same function, or where they differ.",
        success="the same function",
        refuted="not the same",
        undecided="undecided",
        examples=(
            ("compare my.py:Cell torch.nn:LSTMCell", "the same function?"),
            ("compare my.py:Cell mgu", "with a shipped spec"),
            ("compare my.py:Cell keras.layers:GRU --init-b reset_after=false", ""),
        ),
    ),
    "convert": CommandHelp(
        "Carry weights from one cell into the layout of another.",
        success="written and checked",
        refuted="B cannot represent the weights",
        undecided="undecided",
        examples=(
            ("convert my.py:Cell torch.nn:GRU --weights a.pt --output b.pt", ""),
            ("convert my.py:Cell flax.linen:GRUCell --code convert_gru.py", ""),
        ),
    ),
    "explain": CommandHelp(
        "Write a cell's equations, or say what a check or id means.",
        success="explained",
        undecided="the cell is unknown, or could not be run",
        examples=(
            ("explain torch.nn:GRUCell", "equations"),
            ("explain my.py:Cell --format spec --output my.toml", "to verify"),
            ("explain backward.bound", "a check"),
            ("explain E-348", "an equation"),
        ),
    ),
    "verify": CommandHelp(
        "Check equations, spec files of your own, or torch kernels.",
        success="nothing refuted",
        refuted="something refuted",
        undecided="nothing could be decided",
        examples=(
            ("verify lstm.column", "a spec"),
            ("verify E-348", "an equation"),
            ("verify mine.toml", "equations of your own"),
            ("verify --kernels nn.LSTM", "torch's own LSTM"),
        ),
    ),
    "specs": CommandHelp(
        "List all equations; show one; check or draft a spec file.",
        success="done",
        examples=(
            ("specs show E-348 --backward", "one equation, with its derivative"),
            ("specs literature unit", "cells of papers, by a word"),
        ),
    ),
    "matrix": CommandHelp(
        "Judge many implementations in environments of their own.",
        success="all agree",
        refuted="something is refuted",
        undecided="something is undecided, not driven or not judged",
        examples=(
            ("matrix published --plan", "what would be installed"),
            ("matrix published --only keras", "its rows alone"),
        ),
    ),
    "bench": CommandHelp(
        "Measure parameters, decay of gradients, speed, learning.",
        success="measured",
        refuted="numbers were wrong, or with --fail-on too slow",
        undecided="a measurement failed, nothing could be compared, or a cell is unknown",
        examples=(
            ("bench --quick", "RNN, GRU and LSTM in a minute"),
            ("bench --cell my.py:Cell", "your cell beside its spec"),
            ("bench speed --save before", "then --compare before"),
        ),
    ),
    "report": CommandHelp(
        "Write one page of all that was checked and measured.",
        success="nothing refuted",
        refuted="something refuted, or a mutant survived, or with --compare something is worse",
        undecided="nothing could be decided",
        examples=(
            ("report --quick", "made now"),
            ("report --from records.jsonl --from bench.jsonl", "of records"),
        ),
    ),
    "replay": CommandHelp(
        "Run recorded checks again, each on the case it rests on.",
        success="all agree now",
        refuted="one is still refuted",
        undecided="none could be run, or none was decided",
        examples=(("replay records.jsonl:7", "the check of line 7"),),
    ),
    "kernels": CommandHelp(
        "List torch kernels, and where each of them can run.",
        success="listed",
    ),
    "mutants": CommandHelp(
        "Judge references that are wrong on purpose.",
        success="every mutant was killed",
        refuted="one survived",
        examples=(
            ("mutants peephole", "those with this in their name"),
            ("mutants --spec mgu", "rewrites of a spec's equations"),
        ),
    ),
    "gpu": CommandHelp(
        "Judge and time kernels on a machine with a GPU.",
        success="the run is done, whatever it found",
    ),
}
"""The commands in the order in which the help lists them."""

SPEC_COMMANDS: dict[str, CommandHelp] = {
    "show": CommandHelp("Print one equation in full, or what another id stands for.", success="shown"),
    "literature": CommandHelp("List cells of papers, by words of a title.", success="listed"),
    "draft": CommandHelp("Draft spec files from the equations of a document.", success="drafted, complete or not"),
    "check": CommandHelp("Check that a spec file can be read and makes a step.", success="it can be used"),
}
"""The commands below ``specs``."""
