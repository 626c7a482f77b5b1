"""
One byte sequence per value: a JSON model of Python values, spelled by RFC 8785.

The table of the model stands in `spanledger.hashing`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import json
import math
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

__all__ = ["TooLarge", "canonical", "json_model", "parse_json", "plain_bytes", "quick_bytes", "to_json"]

MAX_DEPTH: Final = 32
MAX_BYTES: Final = 1 << 20
_MAX_SAFE_INT: Final = 2**53 - 1
_LONG_NUMBER: Final = re.compile(r"\d{16}")
_CONSTANTS: Final = ("NaN", "Infinity", "-Infinity")

try:
    import orjson
except ImportError:  # pragma: no cover - where no wheel exists
    orjson = None  # type: ignore[assignment]
else:
    _PLAIN: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class TooLarge(ValueError):
    """The value is too deep or too large; *size* is what is known of it, in bytes or in nodes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"too large to hash: {size}")
        self.size = size


def quick_bytes(value: Any) -> bytes | None:
    """
    Bytes that tell *value* from all others, fast; `None` when there are none.

    Not canonical: key order counts.  Texts and JSON trees start differently, so they never meet.
    """
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    data = plain_bytes(value)
    # orjson spells NaN and None alike
    return None if data is None or b"null" in data else data


def plain_bytes(value: Any) -> bytes | None:
    """The JSON of a tree of nothing but dictionaries, lists, texts and numbers, NaN as null; `None` for others."""
    if orjson is None:
        return None  # pragma: no cover
    try:
        data: bytes = orjson.dumps(value, option=_PLAIN)
    except (TypeError, ValueError, RecursionError):
        return None
    return data


def parse_json(text: str) -> Any:
    """The object or list that *text* spells, else `None`."""
    if text[:64].lstrip()[:1] not in ("{", "["):
        return None
    try:
        if orjson is not None and not _LONG_NUMBER.search(text):  # it makes floats of long integers
            try:
                return orjson.loads(text)
            except ValueError:
                pass  # NaN and lone surrogates are read below
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of `json_model` of *value*; `TooLarge` when it is not worth it."""
    if isinstance(value, str) and len(value) > MAX_BYTES:
        raise TooLarge(len(value))
    builder = _Builder()
    model = builder.model(value, 0)
    if builder.plain and orjson is not None:
        # without floats and keys beyond the basic plane, sorted orjson and RFC 8785 are the same bytes
        data: bytes = orjson.dumps(model, option=orjson.OPT_SORT_KEYS)
    else:
        import rfc8785  # noqa: PLC0415 - only where it is needed

        data = rfc8785.dumps(model)
    if len(data) > MAX_BYTES:
        raise TooLarge(len(data))
    return data


def json_model(value: Any) -> Any:
    """The JSON tree that stands for *value* in a hash; total, it knows an answer for everything."""
    return _Builder().model(value, 0)


def to_json(value: Any) -> str:
    """*value* as JSON, to be read and not hashed: its own order, Unicode as it is; total, like `json_model`."""
    if orjson is not None:
        try:
            return orjson.dumps(value, default=json_model).decode()
        except (TypeError, ValueError, RecursionError):
            pass  # keys that are no texts, above all: allowing them makes all others half as slow again
        try:
            return orjson.dumps(value, default=json_model, option=orjson.OPT_NON_STR_KEYS).decode()
        except (TypeError, ValueError, RecursionError):
            pass
    try:
        return json.dumps(json_model(value), ensure_ascii=False)
    except TooLarge as error:
        return json.dumps({"$too_large": error.size})


class _Builder:
    """One walk; `plain` stays true while orjson would spell the tree as RFC 8785 does."""

    __slots__ = ("_budget", "_open", "plain")

    def __init__(self) -> None:
        self.plain = True
        self._budget = MAX_BYTES
        self._open: set[int] = set()

    def model(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            self._spend(len(value))
            return value if value.isascii() else _text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_MAX_SAFE_INT <= value <= _MAX_SAFE_INT else str(value)
        if kind is float:
            return self._float(value)
        if depth > MAX_DEPTH:
            raise TooLarge(MAX_BYTES - self._budget)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, depth)
        return self._other(value, depth)

    def _spend(self, size: int) -> None:
        self._budget -= size + 1
        if self._budget < 0:
            raise TooLarge(MAX_BYTES - self._budget)

    def _float(self, value: float) -> Any:
        if math.isfinite(value):
            self.plain = False
            return value
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - it is NaN

    def _container(self, value: Any, depth: int) -> Any:
        self._spend(len(value))
        if id(value) in self._open:
            return {"$ref": "circular"}
        self._open.add(id(value))
        try:
            if not isinstance(value, Mapping):
                return [self.model(item, depth + 1) for item in value]
            found: dict[str, Any] = {}
            for key, item in value.items():
                name = key if type(key) is str else self._key(key)
                if not name.isascii():
                    self.plain = False
                    name = _text(name)
                self._spend(len(name))
                found[name] = self.model(item, depth + 1)
            return found
        finally:
            self._open.discard(id(value))

    def _key(self, key: Any) -> str:
        model = self.model(key, MAX_DEPTH)
        return model if isinstance(model, str) else json.dumps(model)

    def _other(self, value: Any, depth: int) -> Any:  # noqa: C901, PLR0911 - one line per kind
        if isinstance(value, enum.Enum):
            return self.model(value.value, depth + 1)
        if isinstance(value, str):
            return self.model(str.__str__(value), depth)
        if isinstance(value, int):
            return self.model(int(value), depth)
        if isinstance(value, float):
            return self.model(float(value), depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            return {"$sha256": hashlib.sha256(data).hexdigest(), "len": len(data)}
        if isinstance(value, dt.datetime):
            return _moment(value)
        if isinstance(value, (dt.date, dt.time)):
            return value.isoformat()
        if isinstance(value, Decimal):
            return str(value.normalize()) if value.is_finite() else str(value)
        if isinstance(value, (uuid.UUID, PurePath)):
            return _text(str(value))
        if isinstance(value, (set, frozenset)):
            return [model for _, model in sorted((canonical(item), self.model(item, depth + 1)) for item in value)]
        if isinstance(value, (Mapping, list, tuple)):
            return self._container(value, depth)
        return self._object(value, depth)

    def _object(self, value: Any, depth: int) -> Any:
        if isinstance(value, type):
            return {"$type": f"{value.__module__}.{value.__qualname__}"}
        if dataclasses.is_dataclass(value):
            fields = dataclasses.fields(value)
            return self._container({f.name: getattr(value, f.name, None) for f in fields}, depth)
        if callable(dump := getattr(value, "model_dump", None)):
            return self.model(dump(mode="json"), depth + 1)
        if callable(listed := getattr(value, "tolist", None)):
            return self.model(listed(), depth + 1)
        return {"$type": f"{type(value).__module__}.{type(value).__qualname__}"}


def _moment(value: dt.datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def _text(value: str) -> str:
    """*value* with each lone surrogate spelled out, so that it has UTF-8 bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in value)
    return value
