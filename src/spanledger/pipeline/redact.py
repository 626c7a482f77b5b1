"""
Nothing leaves unredacted: the texts of a whole span in one scan, and each piece found replaced by its label.

Fails closed: what cannot be read, or breaks a detector, is replaced as a whole and counted as ``failed``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from spanledger import semconv
from spanledger.shield import report

from .detect import Detector, Span
from .fold import fold
from .keys import STRICT, Keys
from .media import without_media
from .named import is_placeholder
from .personal import fits
from .record import Record
from .walk import Walk

__all__ = ["FAILED", "Redactor"]

Mark: TypeAlias = Callable[[str, str], str]
"""A label and the text it was found in, to what takes its place."""

FAILED: Final = "[REDACTION FAILED]"
_GAP: Final = "\x1f"
_JSON_STARTS: Final = frozenset('{[" \n\t\r')
_MAX_SHARED: Final = 64


def _plain_mark(label: str, _text: str) -> str:
    return f"[{label}]"


class Redactor:
    """Redacts texts, values and records.  Safe for several threads."""

    def __init__(self, keys: Keys | None = None, mark: Mark = _plain_mark, detector: Detector | None = None) -> None:
        self._keys = keys or Keys()
        self._mark = mark
        self._detector = detector or Detector(self._keys)
        self._shared: dict[int, tuple[Any, Any]] = {}

    def text(self, text: str, counts: Counter[str] | None = None) -> str:
        """*text* without what must not leave; JSON stays JSON."""
        counts = counts if counts is not None else Counter()
        if text[:1] not in _JSON_STARTS:
            try:
                return self._plain(text, counts)
            except Exception as error:  # noqa: BLE001 - fails closed
                return self._failed(error, counts)
        new = self.value(text, counts)
        return new if isinstance(new, str) else str(new)

    def _plain(self, text: str, counts: Counter[str]) -> str:
        text = without_media(text)
        spans = self._detector.find(text)
        return _with_marks(text, spans, self._mark, counts) if spans else text

    def value(self, value: Any, counts: Counter[str] | None = None, key: str | None = None) -> Any:
        """*value* without what must not leave; never raises."""
        label = self._keys.label(key) if key else None
        return self._protect(lambda walk: walk.value(value, label), counts if counts is not None else Counter())

    def attributes(self, attributes: Mapping[str, Any], counts: Counter[str] | None = None) -> dict[str, Any]:
        """*attributes*, keys included, without what must not leave; never raises."""
        counts = counts if counts is not None else Counter()
        found = self._protect(lambda walk: walk.attributes(attributes), counts)
        if isinstance(found, dict):
            return found
        # One of them breaks the walk: the others must not pay for it.
        safe: dict[str, Any] = {}
        for key, value in attributes.items():
            one: Any = self._protect(lambda walk, k=key, v=value: walk.attributes({k: v}), counts)  # type: ignore[misc]
            safe.update(one if isinstance(one, dict) else {f"redaction_failed_{len(safe)}": FAILED})
        return safe

    def record(self, record: Record) -> None:
        """Redact all that *record* says, and write down how often what was found."""
        counts: Counter[str] = Counter()
        record.attributes = self.attributes(record.attributes, counts)
        for event in record.events:
            event.name = self.text(event.name, counts)
            event.attributes = self.attributes(event.attributes, counts)
        record.name = self.text(record.name, counts)
        if record.description:
            record.description = self.text(record.description, counts)
        if record.trace_state:
            record.trace_state = self._state(record.trace_state, counts)
        for link in record.links:
            link.attributes = self.attributes(link.attributes, counts)
            if link.trace_state:
                link.trace_state = self._state(link.trace_state, counts)
        record.resource = self.resource(record.resource)
        record.scope = self.scope(record.scope)
        for label, count in counts.items():
            record.attributes[semconv.REDACTION_COUNT + label.lower()] = count

    def resource(self, resource: Resource) -> Resource:
        """*resource* redacted; remembered, for all spans of a provider share one."""
        made: Resource = self._once(
            resource, lambda: Resource(self.attributes(resource.attributes), resource.schema_url)
        )
        return made

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """*scope* redacted; remembered like a resource."""
        if scope is None:
            return None
        made: InstrumentationScope = self._once(
            scope,
            lambda: InstrumentationScope(
                self.text(scope.name),
                None if scope.version is None else self.text(scope.version),
                None if scope.schema_url is None else self.text(scope.schema_url),
                self.attributes(scope.attributes or {}),
            ),
        )
        return made

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        known = self._shared.get(id(key))
        if known is not None and known[0] is key:
            return known[1]
        made = make()
        while len(self._shared) >= _MAX_SHARED:
            self._shared.pop(next(iter(self._shared)), None)
        self._shared[id(key)] = (key, made)
        return made

    def _state(self, state: Mapping[str, str], counts: Counter[str]) -> dict[str, str]:
        """A trace state is dropped entry by entry: a mark would not be valid in it."""
        return {k: v for k, v in state.items() if self.text(k, counts) == k and self.value(v, counts, key=k) == v}

    def _protect(self, go: Callable[[Walk], Any], counts: Counter[str]) -> Any:
        try:
            return self._go(go, counts)
        except Exception as error:  # noqa: BLE001 - fails closed
            return self._failed(error, counts)

    @staticmethod
    def _failed(error: Exception, counts: Counter[str]) -> str:
        counts["failed"] += 1
        report("redacting a value", error)
        return FAILED

    def _go(self, go: Callable[[Walk], Any], counts: Counter[str]) -> Any:
        gather = _Gather(self._mark)
        walk = Walk(self._keys, gather.add)
        same = go(walk)
        if not gather.texts:
            return same
        news = gather.replaced(self._detector, counts)
        if news is None:
            return same
        iterator = iter(news)
        walk.leaf = lambda _text, _forced: next(iterator)
        return go(walk)


class _Gather:
    """The texts of one walk, scanned together."""

    __slots__ = ("_changed", "_mark", "forced", "texts")

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._changed = False
        self.texts: list[str] = []
        self.forced: dict[int, tuple[str, str]] = {}

    def add(self, text: str, label: str | None) -> str:
        """Take *text*; the answer is the same text, the walk only gathers."""
        if label is not None and _goes_whole(text, label):
            self.forced[len(self.texts)] = (label, text)
            self.texts.append("")
            self._changed = True
        else:
            plain = without_media(text)
            self._changed |= plain is not text
            self.texts.append(plain)
        return text

    def replaced(self, detector: Detector, counts: Counter[str]) -> list[str] | None:
        """The texts that take their places; `None` when all stay as they are."""
        texts = self.texts
        spans = detector.find(_GAP.join(texts) if len(texts) > 1 else texts[0])
        if not spans and not self._changed:
            return None
        news = list(texts)
        if spans:
            self._apply(spans, news, counts)
        for index, (label, text) in self.forced.items():
            counts[label] += 1
            news[index] = self._mark(label, text)
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
            news[index] = _with_marks(self.texts[index], found, self._mark, counts)


def _with_marks(text: str, spans: list[Span], mark: Mark, counts: Counter[str]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end, label in spans:
        counts[label] += 1
        pieces += (text[at:start], mark(label, text[start:end]))
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _goes_whole(text: str, label: str) -> bool:
    """Whether the key alone decides over *text*."""
    if not text or len(text) > 1_000_000:
        return bool(text)
    if is_placeholder(text.encode("utf-8", "replace") if not text.isascii() else text.encode()):
        return False
    if label == "SECRET" and (("://" in text and "@" in text) or (";" in text and "=" in text)):
        return False  # a connection string: its password has a name of its own
    return label in STRICT or fits(label, fold(text))
