"""Measure how far back a gradient reaches: Jacobian products over long sequences."""
