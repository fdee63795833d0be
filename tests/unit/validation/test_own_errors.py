"""An error of a target's own code is told as its, with the place; one of another file is not."""

from __future__ import annotations

from rnn_harness.validation.loading.own_errors import own_place
from tests.helpers.user_cells import PackedGRU


class Broken:
    """Raises where it is called."""

    def __call__(self) -> None:
        raise TypeError("no such shape")


def _raised_by(call: object) -> BaseException:
    try:
        call()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError


def test_the_place_in_its_own_file_is_named() -> None:
    assert own_place(_raised_by(Broken()), Broken).startswith("__call__, test_own_errors.py:")


def test_an_error_that_passes_through_no_line_of_its_file_is_not_its() -> None:
    assert own_place(_raised_by(Broken()), PackedGRU) == ""


def test_what_has_no_file_has_no_place() -> None:
    assert own_place(_raised_by(Broken()), 5) == ""
