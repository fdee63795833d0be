"""What stands around the recurrent layers of two models, an embedding or a head, paired one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from rnn_harness.comparison.model_description import ModelDescription


def pair_around(source: ModelDescription, receiver: ModelDescription) -> dict[str, str] | str:
    """Pair what is of no recurrent layer by names, or else by shapes.

    Args:
        source: The first model.
        receiver: The second model.

    Returns:
        The first model's names by the second's; a sentence where something has no counterpart.
    """
    pairs: dict[str, str] = {}
    for key in (_whole_name, _last_parts, _shape):
        sides = [
            [(key(model, name), name) for name in model.further if name not in done]
            for model, done in ((source, set(pairs.values())), (receiver, set(pairs)))
        ]
        counts = [Counter(known for known, _ in side) for side in sides]
        names_in_source = dict(sides[0])
        pairs |= {
            name: names_in_source[known]
            for known, name in sides[1]
            if counts[0][known] == counts[1][known] == 1
            and source.shapes[names_in_source[known]] == receiver.shapes[name]
        }
    lacking = {receiver.target: [name for name in receiver.further if name not in pairs]}
    lacking[source.target] = [name for name in source.further if name not in pairs.values()]
    rows = [
        f"{', '.join(f'{name} {model.shapes[name]}' for name in names)} of {model.target}"
        for model in (source, receiver)
        if (names := lacking[model.target])
    ]
    if not rows:
        return pairs
    return (
        f"{' and '.join(rows)} {'have' if len(rows) > 1 else 'has'} no counterpart in the other model by name or by a "
        "shape that no other has: the models do not compute the same with any weights of the file"
    )


def _whole_name(_: ModelDescription, name: str) -> Hashable:
    """Tell a parameter by its name."""
    return name


def _last_parts(model: ModelDescription, name: str) -> Hashable:
    """Tell a parameter by the last two parts of its name, as in ``head.weight``, and its shape."""
    return ".".join(name.split(".")[-2:]), model.shapes[name]


def _shape(model: ModelDescription, name: str) -> Hashable:
    """Tell a parameter by its shape."""
    return model.shapes[name]
