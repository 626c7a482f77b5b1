"""A run as text or JSON, read from the journal."""
