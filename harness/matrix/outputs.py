"""The folder of a run: the table in three forms, badges, defects, records, history."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_harness.errors import UsageError
from rnn_harness.matrix.history import changes_between, history_json, read_history, read_matrix, with_run
from rnn_harness.matrix.run import SuiteRun
from rnn_harness.matrix.table import build_matrix
from rnn_harness.records.judged_target import JudgedTarget
from rnn_harness.records.matrix import Matrix
from rnn_harness.reports.matrix_badges import badges
from rnn_harness.reports.page.matrix_page import matrix_html
from rnn_harness.reports.text.matrix import defects_markdown, matrix_markdown
from rnn_harness.runtime.atomic_file import write_whole

TABLE = "matrix.json"
HISTORY = "history.json"


def write_outputs(run: SuiteRun, judged: Sequence[JudgedTarget]) -> Matrix:
    """Write everything that comes of a run, each file whole or not at all; the table that is read later comes last.

    Args:
        run: The run, with its folder.
        judged: The targets, in the order of the suite.

    Returns:
        The table.

    Raises:
        UsageError: A file cannot be written, or what an earlier run left there cannot be read.
    """
    before = read_matrix(run.output / TABLE)
    table = build_matrix(run.suite.title, judged)
    is_again = before is not None and before.date == table.date
    changes = before.changes if before is not None and is_again else ()
    if before is not None and not is_again:
        changes = tuple(changes_between(before, table))
    table = table.model_copy(update={"changes": changes})
    history = with_run(read_history(run.output / HISTORY), table)
    texts = {
        "matrix.md": matrix_markdown(table),
        "matrix.html": matrix_html(table),
        "defects.md": defects_markdown(table),
        **{f"badges/{name}.svg": text for name, text in badges(table).items()},
        HISTORY: history_json(history),
        TABLE: table.model_dump_json(indent=1) + "\n",
    }
    try:
        run.write_records(judged)
        (run.output / "badges").mkdir(exist_ok=True)
        for name, text in texts.items():
            write_whole(run.output / name, text)
    except OSError as error:
        raise UsageError(f"cannot write to {run.output}: {error.strerror}") from None
    return table
