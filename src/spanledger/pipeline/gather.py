"""The texts of one walk, scanned together: one scan for a whole span costs far less than one for each value."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import Final

from .detect import Detector, Span
from .marks import Mark
from .media import without_media
from .personal import goes_whole

__all__ = ["Gather", "with_marks"]

_GAP: Final = "\x1f"


class Gather:
    """Takes the texts of a walk in order; `replaced` gives those that take their places, in the same order."""

    __slots__ = ("_changed", "_forced", "_mark", "originals", "texts")

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._changed = False
        self._forced: dict[int, tuple[str, str]] = {}
        self.originals: list[str] = []
        self.texts: list[str] = []
        """What is scanned; empty where the key has decided already."""

    def add(self, text: str, label: str | None) -> None:
        """Take *text* and the label of its key."""
        self.originals.append(text)
        if label is not None and goes_whole(text, label):
            self._forced[len(self.texts)] = (label, text)
            self.texts.append("")
            self._changed = True
            return
        plain = without_media(text) if len(text) > 79 else text
        if not plain.isascii():
            plain = _sound(plain)
        if plain is not text:
            self._changed = True
        self.texts.append(plain)

    def replaced(self, detector: Detector, counts: Counter[str]) -> list[str] | None:
        """The texts that take their places; `None` when all stay as they are."""
        texts = self.texts
        spans = detector.find(_GAP.join(texts) if len(texts) > 1 else texts[0])
        if not spans and not self._changed:
            return None
        news = list(texts)
        if spans:
            self._apply(spans, news, counts)
        for index, (label, text) in self._forced.items():
            news[index] = new = self._mark(label, text)
            if new is not text:
                counts[label] += 1
        return news

    def _apply(self, spans: list[Span], news: list[str], counts: Counter[str]) -> None:
        starts = []
        at = 0
        for text in self.texts:
            starts.append(at)
            at += len(text) + 1
        by_text: dict[int, list[Span]] = {}
        for start, end, label in spans:
            index = bisect_right(starts, start) - 1
            offset = starts[index]
            by_text.setdefault(index, []).append((start - offset, min(end - offset, len(self.texts[index])), label))
        for index, found in by_text.items():
            news[index] = with_marks(self.texts[index], found, self._mark, counts)


def with_marks(text: str, spans: list[Span], mark: Mark, counts: Counter[str] | None = None) -> str:
    """*text* with each of *spans* replaced by its mark, and counted."""
    pieces: list[str] = []
    at = 0
    for start, end, label in spans:
        found = text[start:end]
        new = mark(label, found)
        if counts is not None and new is not found:
            counts[label] += 1
        pieces += (text[at:start], new)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _sound(text: str) -> str:
    """*text* without lone surrogates: one of them would cost the whole batch when it is encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
