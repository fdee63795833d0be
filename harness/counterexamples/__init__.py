"""Counterexamples: find a case that differs, shrink it, and print it as a program."""
