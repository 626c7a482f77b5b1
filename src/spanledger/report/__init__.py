"""A run as a text tree or JSON."""
