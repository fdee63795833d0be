"""Reproduction, the last step of a validation: the smallest counterexample as a program."""
