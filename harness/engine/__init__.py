"""The engine: decide specs by all their checks, and turn results into records."""
