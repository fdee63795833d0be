"""Checks that only kernels have: precision, scale, memory layout, transforms, dispatch."""
