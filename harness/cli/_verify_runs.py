"""The runs of ``verify``: of equations and cells, and of kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_harness.cli._conclusion import Conclusion
from rnn_harness.cli._recorded_run import RecordedRun
from rnn_harness.cli._shared import console
from rnn_harness.cli._verify_conclusions import equations_conclusion, kernels_conclusion

if TYPE_CHECKING:
    from rnn_harness.engine.select import Selection
    from rnn_harness.kernels import Kernel
    from rnn_harness.records.batches import KnownRecords
    from rnn_harness.records.record import Record
    from rnn_harness.reports.entry_caption import EntryCaption
    from rnn_harness.runtime.worker_pool import WorkerPool


@dataclass(frozen=True)
class EquationRun(RecordedRun):
    """Decide equations, cells and pairs of specs.

    Attributes:
        selection: What to decide.
        seed: Where the random cases start.
        examples: The number of cases that are drawn for each cell.
        pool: Where the work is done; in this process where None.
    """

    selection: Selection
    seed: int
    examples: int
    pool: WorkerPool | None = None

    @property
    def size(self) -> int:
        """The number of specs, and one more for all pairs."""
        return len(self.selection.specs) + bool(self.selection.pairs)

    def make_records(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
        """Decide each spec, then the pairs."""
        from rnn_harness.engine.verify import verify

        return verify(self.selection, self.seed, self.examples, known, on_start, self.pool)

    def show(self, records: Sequence[Record], verbose: bool, finished: bool) -> None:
        """Print a table per document, then what is refuted; it is the same where the work was interrupted."""
        from rnn_harness.reports.text.verify import print_equations

        print_equations(console(), records, _captions(self.selection), verbose)

    def conclusion(self, records: Sequence[Record]) -> Conclusion:
        """Say how many entries are verified, or which are refuted."""
        from rnn_harness.specs import library, literature

        shipped = {spec.id for spec in library().specs}
        others = [selected.spec for selected in self.selection.specs if selected.spec.id not in shipped]
        papers = literature() if others else ()
        names = [spec.id if spec in papers else str(spec.path) for spec in others]
        return equations_conclusion(records, names[0] if names else "")


@dataclass(frozen=True)
class KernelRun(RecordedRun):
    """Judge kernels.

    Attributes:
        kernels: Entries of the catalogue, in the order in which they are judged.
        seed: Where the random cases start.
        examples: The number of cases that are drawn for each kernel.
        workers: How many processes judge at the same time.
        budget: Seconds after which nothing is judged any more.
    """

    kernels: tuple[Kernel, ...]
    seed: int
    examples: int
    workers: int = 1
    budget: float = math.inf

    @property
    def size(self) -> int:
        """The number of settings of all kernels."""
        return sum(len(kernel.settings) for kernel in self.kernels)

    def make_records(self, known: KnownRecords, on_start: Callable[[str], None]) -> Iterator[Record]:
        """Judge the kernels in processes of their own."""
        from rnn_harness.kernels import WorkLimits, judge_isolated

        limits = WorkLimits(self.workers, self.budget)
        return judge_isolated(self.kernels, self.seed, self.examples, known, on_start, limits)

    def show(self, records: Sequence[Record], verbose: bool, finished: bool) -> None:
        """Print a table of the settings, then what is refuted; it is the same where the work was interrupted."""
        from rnn_harness.reports.text.kernels import print_kernels

        print_kernels(console(), records, verbose)

    def conclusion(self, records: Sequence[Record]) -> Conclusion:
        """Say how many kernels are verified, or which are refuted."""
        return kernels_conclusion(records)


def _captions(selection: Selection) -> dict[str, EntryCaption]:
    """Return how every entry and every pair of specs is named, by its id."""
    from rnn_harness.reports.entry_caption import EntryCaption, PrintErratum

    captions = {pair.id: EntryCaption(pair.source, 0, pair.title) for pair in selection.pairs}
    for spec in selection.library.specs:
        for entry in spec.entries:
            captions[entry.id] = EntryCaption(
                entry.document or spec.path.name,
                entry.line or spec.lines.get(entry.id, 0),
                entry.section or spec.title,
                tuple(PrintErratum(erratum.id, erratum.text) for erratum in entry.errata),
            )
    return captions
