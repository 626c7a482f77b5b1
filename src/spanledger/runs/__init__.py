"""Sessions, runs, steps and tools: where calls belong."""
