"""Train cells on tasks whose best loss without a memory is known."""
