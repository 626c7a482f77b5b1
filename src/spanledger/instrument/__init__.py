"""Watching calls: the only room that patches."""
