"""
Streams that others recorded chunk by chunk: what is spread over several events is found in the joined text.

It is replaced in the event where it begins; what follows of it leaves the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from .detect import Detector
from .marks import Mark
from .record import EventRecord

__all__ = ["redact_chunks"]

_MAX_CHUNK: Final = 4096
_MAX_JOINED: Final = 262_144


def redact_chunks(events: Sequence[EventRecord], detector: Detector, mark: Mark, counts: Counter[str]) -> None:
    """Replace in *events* what is spread over texts of the same name; the rest is left to the usual way."""
    if len(events) < 2:
        return
    alike: dict[tuple[str, str], list[EventRecord]] = defaultdict(list)
    for event in events:
        for key, value in event.attributes.items():
            if type(value) is str and 0 < len(value) <= _MAX_CHUNK:
                alike[event.name, key].append(event)
    for (_, key), holders in alike.items():
        texts = [event.attributes[key] for event in holders]
        if len(holders) > 1 and sum(map(len, texts)) <= _MAX_JOINED:
            _spread(holders, key, texts, detector, mark, counts)


def _spread(
    holders: list[EventRecord], key: str, texts: list[str], detector: Detector, mark: Mark, counts: Counter[str]
) -> None:  # fmt: skip
    joined = "".join(texts)
    starts = [0, *accumulate(map(len, texts))]
    for start, end, label in reversed(detector.find(joined)):
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
        if first == last:
            continue
        new = mark(label, joined[start:end])
        if new == joined[start:end]:
            continue
        counts[label] += 1
        texts[last] = texts[last][end - starts[last] :]
        for index in range(first + 1, last):
            texts[index] = ""
        texts[first] = texts[first][: start - starts[first]] + new
    for event, text in zip(holders, texts, strict=True):
        event.attributes[key] = text
