"""The machine that a kernel ran on: device and library versions."""
