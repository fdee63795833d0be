"""Running work: worker processes, atomic files, progress."""
