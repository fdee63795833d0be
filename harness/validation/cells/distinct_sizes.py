"""Sizes of a trial call that cannot be confused with those of the target."""

from __future__ import annotations


def distinct_batch_size(*sizes: int) -> int:
    """Choose a number of rows that no size can be confused with, since a wrong way of calling may fit equal sizes.

    Args:
        sizes: The sizes of the target, such as n and d.
    """
    taken = {*sizes, sum(sizes), *(multiple * size for size in sizes for multiple in (2, 3, 4))}
    return next(rows for rows in (7, 11, 13, 17, 19, 23, 29, 31, 37, 41) if rows not in taken)


def distinct_step_count(*sizes: int) -> int:
    """Choose a number of steps that no size can be confused with.

    Args:
        sizes: The sizes of the target, such as n, d and B.
    """
    taken = {*sizes, sum(sizes), *(2 * size for size in sizes)}
    return next(steps for steps in (4, 5, 6, 8, 9) if steps not in taken)
