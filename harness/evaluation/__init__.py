"""Evaluations: what a spec expects of a case, what a subject computed on it, and whether the case counts."""
