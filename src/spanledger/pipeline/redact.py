"""
Nothing leaves unredacted: what was found in a span is replaced, and counted by its kind.

Fails closed: what cannot be read, or breaks a detector, is replaced as a whole and counted as ``failed``.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from spanledger import semconv
from spanledger.policy import Policy
from spanledger.shield import report

from .chunks import redact_chunks
from .detect import Detector
from .gather import Gather, with_marks
from .keys import Keys
from .marks import FAILED, mark_of, whole
from .media import MIN_BLOB, without_media
from .others import others_of
from .record import Record
from .walk import Walk

__all__ = ["Redactor"]

_JSON_STARTS: Final = frozenset('{["')
_BLANKS: Final = frozenset(" \n\t\r")
_HEAD: Final = 64
_MAX_SHARED: Final = 64
_SERVERS: Final = ("server.address", "network.peer.address")


class Redactor:
    """Redacts texts, values and records by a policy.  Safe for several threads."""

    def __init__(
        self, policy: Policy | None = None, keys: Iterable[str] = (), *, detector: Detector | None = None
    ) -> None:
        self.policy = policy or Policy()
        self.keys = Keys((*keys, *self.policy.keys), self.policy.keep_keys)
        self.detector = detector or Detector(self.keys, others_of(self.policy))
        self.mark = mark_of(self.policy)
        self._agents = {name: Redactor(special, keys) for name, special in self.policy.agents.items()}
        self._sure = self.policy.decide is None
        """Whether a mark can't break JSON."""
        self._shared: dict[int, tuple[Any, Any]] = {}

    def text(self, text: str, counts: Counter[str] | None = None) -> str:
        """*text* without what must not leave; JSON stays JSON.  Never raises."""
        head = text[:1]
        if head in _BLANKS:
            head = text[:_HEAD].lstrip()[:1]
        try:
            if head in _JSON_STARTS:
                found = self.detector.in_json(text)
                if found is not None and (not found or self._sure):
                    return with_marks(text, found, self.mark, counts) if found else text
            elif text.isascii() or text.encode():
                plain = without_media(text) if ";" in text or len(text) >= MIN_BLOB else text
                spans = self.detector.find(plain)
                return with_marks(plain, spans, self.mark, counts) if spans else plain
        except UnicodeEncodeError:
            pass  # a lone surrogate: the long way
        except Exception as error:  # noqa: BLE001 - fails closed
            return _failed(error, counts if counts is not None else Counter())
        counts = counts if counts is not None else Counter()
        new = self._protect(lambda walk: walk.value(text, looked=True), counts)
        return new if isinstance(new, str) else str(new)

    def value(self, value: Any, counts: Counter[str] | None = None, key: str | None = None) -> Any:
        """*value*, which stands under *key*, without what must not leave; never raises."""
        label = self.keys.label(key) if key else None
        return self._protect(lambda walk: walk.value(value, label), counts if counts is not None else Counter())

    def attributes(self, attributes: Mapping[str, Any], counts: Counter[str] | None = None) -> dict[str, Any]:
        """*attributes*, keys included, without what must not leave; never raises."""
        counts = counts if counts is not None else Counter()
        kept: dict[str, Any] = {}
        if self.policy.attributes:
            attributes, kept = self._by_name(attributes, counts)
        found = self._protect(lambda walk: walk.attributes(attributes), counts)
        if isinstance(found, dict):
            return {**found, **kept} if kept else found
        # One of them breaks the walk: the others must not pay for it.
        safe: dict[str, Any] = {}
        for key, value in attributes.items():
            one: Any = self._protect(lambda walk, k=key, v=value: walk.attributes({k: v}), counts)  # type: ignore[misc]
            safe.update(one if isinstance(one, dict) else {f"redaction_failed_{len(safe)}": FAILED})
        return {**safe, **kept}

    def record(self, record: Record) -> None:
        """Redact all that *record* says, and write down how often what was found."""
        if self._agents and (special := self._agents.get(str(record.attributes.get(semconv.AGENT_NAME)))):
            special.record(record)
            return
        counts: Counter[str] = Counter()
        # the machine that was called is nobody's address
        servers = {key: record.attributes[key] for key in _SERVERS if _is_address(record.attributes.get(key))}
        rest = {key: value for key, value in record.attributes.items() if key not in servers}
        record.attributes = {**self.attributes(rest, counts), **servers}
        self._chunks(record, counts)
        for event in record.events:
            event.name = self.text(event.name, counts)
            event.attributes = self.attributes(event.attributes, counts)
        record.name = self.text(record.name, counts) or "span"
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

    def _chunks(self, record: Record, counts: Counter[str]) -> None:
        try:
            redact_chunks(record.events, self.detector, self.mark, counts)
        except Exception as error:  # noqa: BLE001 - fails closed
            _failed(error, counts)
            record.events.clear()

    def resource(self, resource: Resource) -> Resource:
        """*resource* redacted; remembered, for all spans of a provider share one."""
        made: Resource = self._once(
            resource, lambda: Resource(self.attributes(resource.attributes), resource.schema_url)
        )  # fmt: skip
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

    def _by_name(self, attributes: Mapping[str, Any], counts: Counter[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the policy leaves to be looked at, and what it says of whole attributes."""
        found: dict[str, Any] = {}
        decided: dict[str, Any] = {}
        for key, value in attributes.items():
            action = self.policy.for_attribute(key)
            if action is None:
                found[key] = value
            elif action == "keep":
                decided[key] = value
            else:
                counts["attribute"] += 1
                if action != "drop":
                    decided[key] = whole(action, "ATTRIBUTE", value)
        return found, decided

    def _state(self, state: Mapping[str, str], counts: Counter[str]) -> dict[str, str]:
        """A trace state is dropped entry by entry: a mark would not be valid in it."""
        return {k: v for k, v in state.items() if self.text(k, counts) == k and self.value(v, counts, key=k) == v}

    def _flat(self, text: str, counts: Counter[str] | None) -> str | None:
        """*text*, which looks like JSON, redacted as it stands; `None` when it must be walked."""
        spans = self.detector.in_json(text)
        if not spans:
            return None if spans is None else text
        return with_marks(text, spans, self.mark, counts) if self._sure else None

    def _protect(self, go: Callable[[Walk], Any], counts: Counter[str]) -> Any:
        try:
            gather = Gather(self.mark)
            walk = Walk(self.keys, gather.add, lambda text: self._flat(text, counts))
            go(walk)
            news = gather.replaced(self.detector, counts) if gather.texts else None
            return walk.put(gather.originals, news) if news is not None else walk.put()
        except Exception as error:  # noqa: BLE001 - fails closed
            return _failed(error, counts)


def _failed(error: Exception, counts: Counter[str]) -> str:
    counts["failed"] += 1
    report("redacting a value", error)
    return FAILED


def _is_address(value: Any) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return isinstance(value, str)
