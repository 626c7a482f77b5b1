"""
The LLM clients that we can read.  To add one, write its module and list it here.
"""

from __future__ import annotations

from . import anthropic, google_genai, openai
from ._adapter import Adapter, Endpoint, Found, Peer, Seam

__all__ = ["ADAPTERS", "Adapter", "Endpoint", "Found", "Peer", "Seam"]

ADAPTERS = (anthropic.ADAPTER, google_genai.ADAPTER, openai.ADAPTER)
