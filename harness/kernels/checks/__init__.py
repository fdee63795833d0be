"""Checks that only kernels have: precision, gradients by place, scale, memory layout, transforms, dispatch."""
