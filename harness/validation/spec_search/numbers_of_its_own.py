"""Single numbers that a spec learns, such as the two of a FastGRNN, and that a cell may write down."""

from __future__ import annotations

from dataclasses import replace

from rnn_harness.specs import Spec

ANY_NUMBER = "1/2"
"""Where the search for a number of the target begins."""


def with_numbers_as_constants(spec: Spec) -> Spec:
    """Return a spec whose single numbers are constants, to be found; as it is where it learns none.

    Args:
        spec: The spec of a cell; it is not changed.
    """
    numbers = [name for name, text in spec.model.parameters.items() if not text.strip()]
    if not numbers:
        return spec
    parameters = {name: text for name, text in spec.model.parameters.items() if name not in numbers}
    constants = {**spec.model.constants, **dict.fromkeys(numbers, ANY_NUMBER)}
    return replace(spec, model=spec.model.model_copy(update={"parameters": parameters, "constants": constants}))
