"""What we know about LLM clients: where to stand and how to read.  Pure reading; imports no client."""

from __future__ import annotations

from ._adapter import Adapter, Endpoint, Found, Peer, Seam

ADAPTERS: tuple[Adapter, ...] = ()

__all__ = ["ADAPTERS", "Adapter", "Endpoint", "Found", "Peer", "Seam"]
