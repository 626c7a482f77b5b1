"""
Where a redactor changed a text, and how that compares with what was planted.

A planted span counts as covered when each of its letters and digits is gone.  A change counts as right when it touches
a planted span, whatever its label.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from spanledger.pipeline.documents import load
from spanledger.pipeline.redact import Redactor

Span = tuple[int, int, str]

_MARK = re.compile("\ue000([A-Z0-9_]+):([0-9]+)\ue001")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null')
_WORD = re.compile(r"\w")


def marking() -> Redactor:
    """A redactor whose marks say how long what they replaced was, so that changes can be put back in their places."""
    redactor = Redactor()
    redactor.mark = lambda label, found: f"\ue000{label}:{len(found)}\ue001"
    return redactor


def changes(old: str, new: str) -> list[Span]:
    """Where *old* was changed into *new*, in the offsets of *old*, JSON in JSON included."""
    if old == new:
        return []
    loaded = load(old)
    if loaded is None or _MARK.fullmatch(new):
        return _aligned(new)
    found: list[Span] = []
    for before, after, token in zip(_leaves(loaded[0]), _leaves(json.loads(new)), _TOKEN.finditer(old), strict=True):
        if isinstance(before, str) and before != after:
            places = _places(token.group())
            found += [
                (token.start() + places[a], token.start() + places[b], label) for a, b, label in changes(before, after)
            ]
        elif before != after and (mark := _MARK.match(after)):
            found.append((token.start(), token.end(), mark.group(1)))
    return found


def _aligned(new: str) -> list[Span]:
    found = []
    at = place = 0
    for mark in _MARK.finditer(new):
        place += mark.start() - at
        size = int(mark.group(2))
        found.append((place, place + size, mark.group(1)))
        place += size
        at = mark.end()
    return found


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from _leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value)
    else:
        yield tree


def _places(token: str) -> list[int]:
    """Where each character of the text that *token* spells stands in it, and where it ends."""
    found = []
    at = 1
    while at < len(token) - 1:
        found.append(at)
        size = 1
        if token[at] == "\\":
            size = 6 if token[at + 1] == "u" else 2
            if size == 6 and token[at + 2 : at + 4].lower() in ("d8", "d9", "da", "db"):
                size = 12
        at += size
    return [*found, len(token) - 1]


def score(
    rows: Sequence[tuple[str, Sequence[Span], Sequence[Span]]], found: Sequence[Sequence[Span]]
) -> dict[str, float]:
    """Precision, recall and harm over *rows* of text, planted spans and spans that count neither way."""
    count: Counter[str] = Counter()
    for (text, planted, neutral), spans in zip(rows, found, strict=True):
        covered = {place for start, end, _ in spans for place in range(start, end)}
        for start, end, _ in planted:
            count["planted"] += 1
            count["covered"] += all(place in covered for place in range(start, end) if _WORD.match(text[place]))
        for start, end, _ in spans:
            if any(start < b and a < end for a, b, _ in planted):
                count["right"] += 1
            elif not any(start < b and a < end for a, b, _ in neutral):
                count["wrong"] += 1
        excused = {place for a, b, _ in (*planted, *neutral) for place in range(a, b)}
        for place, char in enumerate(text):
            if place not in excused and _WORD.match(char):
                count["clean"] += 1
                count["destroyed"] += place in covered
        if not planted:
            count["clean texts"] += 1
            count["touched"] += bool(spans)
    return {
        "precision": count["right"] / max(1, count["right"] + count["wrong"]),
        "recall": count["covered"] / max(1, count["planted"]),
        "destroyed": count["destroyed"] / max(1, count["clean"]),
        "clean texts touched": count["touched"] / max(1, count["clean texts"]),
        "planted": count["planted"],
    }
