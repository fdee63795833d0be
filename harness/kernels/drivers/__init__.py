"""Drivers: the torch code that computes a spec, one module for each way of writing it."""
