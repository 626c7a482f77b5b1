"""Metrics and events."""

from __future__ import annotations

from ._metrics import Metrics

__all__ = ["Metrics"]
