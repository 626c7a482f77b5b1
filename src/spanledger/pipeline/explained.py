"""What would go, where and why: for a person who wants to know before switching content on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .documents import load
from .redact import Redactor
from .values import is_placeholder

__all__ = ["Explained", "explain", "redacted"]

_WHY: Final = {
    "EMAIL": "a name, an @ and a domain",
    "PHONE": "a calling code, a national grouping, or a word like 'call' before it",
    "CARD": "a known issuer's range, the right length and a valid check digit",
    "SSN": "three, two and four digits in a valid range, or a name like 'ssn'",
    "ITIN": "a taxpayer number's range",
    "IBAN": "a country's length and valid check digits",
    "IP": "a valid address of somebody else's machine",
    "MAC": "six pairs of hexadecimal digits",
    "CRYPTO": "a wallet address with a valid checksum",
    "NHS": "ten digits with a valid check digit",
    "NATIONAL_ID": "the shape and check digit of a national number, or its name before it",
    "JWT": "a signed token",
    "PRIVATE_KEY": "a PEM block",
    "BASE64_JSON": "JSON hidden in Base64",
    "URL_PASSWORD": "the password, or a token, inside a URL",
    "SECRET": "its name says that it is a secret",
    "WEBHOOK": "a URL that is a secret",
    "BASE64": "Base64 of a text that holds something that goes",
    "FLOOD": "a thousand names and numbers, closer together than in any text: the rest was not looked at",
}
_OTLP_VALUES: Final = frozenset({"stringValue", "intValue", "arrayValue", "values"})
_SHOWN: Final = 80
_NO_NUMBER: Final = re.compile(r'"(?:int|double)Value"(\s*:\s*"(?!-?[0-9][0-9.eE+-]*"))')
"""In an OTLP file, a number that is none any more."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One thing that would go.  *path* leads to the value (``[0].content``), *start* and *end* into its text."""

    path: str
    label: str
    found: str
    becomes: str
    why: str
    start: int
    end: int


def redacted(text: str, redactor: Redactor | None = None) -> str:
    """*text* (plain, JSON, JSON lines, an OTLP file) as it would leave."""
    redactor = redactor or Redactor()
    if "\n" in text and load(text) is None:
        lines = text.splitlines(keepends=True)
        if all(load(line) is not None for line in lines if line.strip()):
            return "".join(redacted(line.rstrip("\n"), redactor) + "\n" if line.strip() else line for line in lines)
    new = redactor.text(text)
    return _NO_NUMBER.sub(r'"stringValue"\1', new) if '"resource' in text else new


def explain(value: Any, redactor: Redactor | None = None) -> list[Explained]:
    """What of *value* would go, and why: a text, JSON in a text, JSON lines, or a tree such as an OTLP file's."""
    return list(_explain(value, redactor or Redactor(), "", None))


def _explain(value: Any, redactor: Redactor, path: str, key: str | None) -> Iterator[Explained]:
    if isinstance(value, str):
        yield from _text(value, redactor, path, key)
    elif isinstance(value, dict):
        named = value.get("key") if "value" in value and isinstance(value.get("key"), str) else None
        for name, item in value.items():
            place = f"{path}.{name}" if path else str(name)
            yield from _plain(str(name), redactor, f"{place} (the key)")
            inner = named if named is not None and name == "value" else str(name)
            if name in _OTLP_VALUES and key is not None:
                inner = key  # OTLP: {"key": k, "value": {"arrayValue": {"values": [{"stringValue": v}]}}}
            yield from _explain(item, redactor, place, inner)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _explain(item, redactor, f"{path}[{index}]", key)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        counts: Counter[str] = Counter()
        new = redactor.value(value, counts, key=key)
        if counts:
            yield _whole(path, next(iter(counts)), str(value), str(new), key)


def _text(text: str, redactor: Redactor, path: str, key: str | None) -> Iterator[Explained]:
    loaded = load(text)
    if loaded is not None and isinstance(loaded[0], (dict, list)):
        yield from _explain(loaded[0], redactor, path, key)
        return
    if "\n" in text and text[:1] == "{":
        lines = [load(line) for line in text.splitlines() if line.strip()]
        if all(line is not None for line in lines):
            for number, line in enumerate(lines):
                yield from _explain(line[0] if line else None, redactor, f"{path}line {number + 1}", None)
            return
    counts: Counter[str] = Counter()
    new = redactor.value(text, counts, key=key)
    label = redactor.keys.label(key) if key else None
    if label is not None and new == redactor.mark(label, text) and not is_placeholder(text.encode("utf-8", "replace")):
        yield _whole(path, label, text, new, key)
        return
    yield from _plain(text, redactor, path)


def _plain(text: str, redactor: Redactor, path: str) -> Iterator[Explained]:
    for start, end, label in redactor.detector.find(text):
        found = text[start:end]
        becomes = redactor.mark(label, found)
        if becomes != found:
            why = _WHY.get(
                label, "it looks like a key of a known vendor" if _is_vendor(label) else "a pattern of yours"
            )
            yield Explained(path, label, _shown(found), becomes, why, start, end)


def _whole(path: str, label: str, text: str, becomes: str, key: str | None) -> Explained:
    return Explained(path, label, _shown(text), becomes, f"the key {key!r} decides over its value", 0, len(text))


def _is_vendor(label: str) -> bool:
    return label.endswith(("_KEY", "_TOKEN"))


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def read(text: str) -> Any:
    """The tree that *text* spells, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
