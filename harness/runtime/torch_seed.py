"""Torch's random numbers from a seed, without a note for every kind of device that is not in use."""

from __future__ import annotations


def seed_torch(seed: int) -> None:
    """Seed torch's generator of the processor, and those of CUDA devices that are in use.

    `torch.manual_seed` also notes, with the whole stack, what is to be done if CUDA, XPU or MTIA is ever used: 3 ms a
    call and a list that grows, where a cell is run thousands of times from the same seed.

    Args:
        seed: What the generators start from.
    """
    import torch

    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
