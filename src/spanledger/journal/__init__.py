"""The local memory of runs: one SQLite file."""
