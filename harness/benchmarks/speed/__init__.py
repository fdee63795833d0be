"""Time references and kernels side by side in one process."""
