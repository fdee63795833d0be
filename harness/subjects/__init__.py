"""Subjects: an implementation tied to the spec that it should compute, with the map of its parameters."""
