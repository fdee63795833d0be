"""The adversary of the rounding bound, as a fixture."""

from __future__ import annotations

import pytest

from tests.helpers.shuffled_arithmetic import ShuffledArithmetic


@pytest.fixture
def shuffled() -> type[ShuffledArithmetic]:
    """Return the adversary, to be made by dtype and seed."""
    return ShuffledArithmetic
