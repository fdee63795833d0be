"""A badge for each package of a table of implementations."""

from __future__ import annotations

import re

from rnn_harness.records.matrix import Matrix
from rnn_harness.reports.page.badge import cell_badge


def badges(table: Matrix) -> dict[str, str]:
    """Draw a badge for each version of a package.

    Args:
        table: The table of a run.

    Returns:
        SVG documents by the name of the package; of further versions, with the version behind it.
    """
    drawn: dict[str, str] = {}
    for package, version in dict.fromkeys((row.package, row.version) for row in table.rows):
        endings = [row.ending for row in table.rows if (row.package, row.version) == (package, version)]
        name = package if package not in drawn else f"{package}-{version}"
        label = f"{package} {version}".strip()
        picture = cell_badge(label, endings.count("agrees"), endings.count("refuted"), len(endings))
        drawn[re.sub(r"[^A-Za-z0-9._-]", "-", name)] = picture
    return drawn
