"""Weights of one cell in the layout of another: read, mapped as `rnn_harness.comparison` proves, checked, written."""
