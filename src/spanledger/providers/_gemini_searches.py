"""
What Google's models looked up, counted as it is billed.

Models up to Gemini 2.5 pay for a prompt that was grounded, however many queries that took; later ones for each query.
https://ai.google.dev/gemini-api/docs/google-search#pricing
"""

from __future__ import annotations

import re
from typing import Any, Final

from ._wire import as_list, count, fields

__all__ = ["counted", "looked_up", "uses"]

_QUERIES: Final = (
    ("google_search", "webSearchQueries"), ("image_search", "imageSearchQueries"), ("retrieval", "retrievalQueries"),
)  # fmt: skip
_BY_PROMPT: Final = re.compile(r"gemini-(?:live-)?[12]\b")


def looked_up(grounding: Any) -> set[tuple[str, str]]:
    """The tools and queries of a ``groundingMetadata``; an empty query is none."""
    found = fields(grounding)
    if not found:
        return set()
    asked = {(tool, q) for tool, key in _QUERIES for q in as_list(found.get(key)) if isinstance(q, str) and q}
    if any(fields(chunk).get("maps") for chunk in as_list(found.get("groundingChunks"))):
        asked.add(("google_maps", ""))  # tells its places, not its queries
    return asked


def uses(asked: set[tuple[str, str]], model: Any) -> dict[str, int]:
    """How often each tool is billed for what was *asked*."""
    tools = [tool for tool, _ in asked]
    return _billed({tool: tools.count(tool) for tool in sorted(set(tools))}, model)


def counted(told: Any, model: Any) -> dict[str, int]:
    """The same of an interaction's ``grounding_tool_count``."""
    entries = [fields(entry) for entry in as_list(told)]
    named = {str(kind): n for e in entries if (kind := e.get("type")) and (n := count(e.get("count")))}
    return _billed(named, model)


def _billed(counts: dict[str, int], model: Any) -> dict[str, int]:
    if "google_search" in counts and _BY_PROMPT.search(str(model)):
        del counts["google_search"]
        counts["grounded_prompt"] = 1
    return counts
