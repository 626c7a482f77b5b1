r"""
Equal values get equal hashes, and nobody without the key can guess what was hashed.

HMAC-SHA-256, 128 bits kept, over the RFC 8785 bytes of a JSON model of the Python value (`json_model`).  A plain hash
would give away e-mail addresses, card numbers and short arguments to anybody who counts through them.

=====================================  =============================================================================
value                                  in the model
=====================================  =============================================================================
`None`, bool, str, list, tuple, dict   themselves; other key types become their text; lone surrogates ``\\udXXX``
int beyond +-(2**53 - 1)               decimal string
NaN, infinity                          ``"NaN"``, ``"Infinity"``, ``"-Infinity"``
`Decimal`, `UUID`, path                shortest text
`Enum`                                 its value
`datetime`                             RFC 3339; aware ones in UTC with ``Z``; `date`, `time` ISO 8601
bytes                                  ``{"$sha256": hex, "len": n}``
set                                    list, sorted by canonical bytes
dataclass, pydantic model, numpy       the fields; ``model_dump(mode="json")``; ``tolist()``
seen before on the way down            ``{"$ref": "circular"}``
anything else                          ``{"$type": qualified name}``, never its `repr`
=====================================  =============================================================================

Tool arguments that arrive as JSON text are parsed first, so that text and mapping join; text that does not parse is
hashed as it is (``raw``).  What is deeper than 32 levels or larger than 1 MiB is known by its size (``size-only``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from . import private_file
from .canonical import TooLarge, canonical, parse_json, quick_bytes, to_json
from .config import Settings, state_directory
from .errors import ConfigurationError
from .forks import undivided
from .shield import report

__all__ = ["CANONICALIZATION", "Hashed", "Hasher", "check_key", "configure_hasher", "hasher", "to_json"]

logger = logging.getLogger("spanledger")

CANONICALIZATION: Final = "jcs/1"
MIN_KEY_BYTES: Final = 32
CACHE_SIZE: Final = 1024
_PARSED: Final = frozenset({"tool-args", "tool-result", "tools"})
_RAW: Final = frozenset({"tool-args"})
_MAX_CACHED_BYTES: Final = 262_144


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


_digest: Callable[[bytes], Any] = hash if os.environ.get("PYTHONHASHSEED", "random") == "random" else _sha256
"""Python's own hash is keyed anew in each process, unless somebody fixed the key; then others could make texts meet."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A hash as it stands on a span; *size* is the bytes of the canonical form, `None` where it was never built."""

    text: str
    canonicalization: str
    size: int | None = None
    previous: str | None = None
    """The hash by the key before, while keys overlap."""

    def put(self, attributes: dict[str, Any], name: str) -> None:
        """Write it under *name*, and beside it the hash by the key before."""
        attributes[name] = self.text
        if self.previous is not None:
            attributes[f"{name}.previous"] = self.previous


class Hasher:
    """Keyed hashes of values, by purpose: equal values of different purposes never join."""

    def __init__(self, settings: Settings | None = None, *, lasting: bool = True) -> None:
        self._key, random = _key_of(settings or Settings()) if lasting else (secrets.token_bytes(MIN_KEY_BYTES), True)
        self._subkeys: dict[str, bytes] = {}
        self._cache: dict[tuple[str, int, Any], Hashed] = {}
        short = hmac.digest(self._key, b"spanledger/key-id", "sha256")[:4].hex()
        self.key_id = f"proc-{short}" if random else short
        """Names the key, without giving anything of it away; ``proc-...`` joins inside this process only."""
        self._prefix = f"hmac-sha256:{self.key_id}:"
        self._previous: Hasher | None = None
        if settings is not None and settings.hash_key_previous is not None:
            self._previous = Hasher(replace(settings, hash_key=settings.hash_key_previous, hash_key_previous=None))

    def hash(self, value: Any, purpose: str) -> Hashed:
        """The hash of *value*; never raises."""
        try:
            key, quick = None, quick_bytes(value)
            if quick is not None and len(quick) <= _MAX_CACHED_BYTES:
                # a digest and not the bytes: what was hashed must not stay in memory because of us
                key = (purpose, len(quick), _digest(quick))
                if (known := self._cache.get(key)) is not None:
                    return known
            return self._anew(value, purpose, key)
        except Exception as error:  # noqa: BLE001 - called from the user's own call
            report("hashing a value", error)
            return Hashed(f"{self._prefix}unhashable", "none")

    def _anew(self, value: Any, purpose: str, key: tuple[str, int, Any] | None) -> Hashed:
        found = self._compute(value, purpose)
        if self._previous is not None:
            found = replace(found, previous=self._previous.hash(value, purpose).text)
        if key is not None:
            while len(self._cache) >= CACHE_SIZE:
                self._cache.pop(next(iter(self._cache)), None)
            self._cache[key] = found
        return found

    def _compute(self, value: Any, purpose: str) -> Hashed:
        kind = CANONICALIZATION
        if isinstance(value, (bytes, bytearray)) and purpose in _PARSED:
            value = bytes(value).decode("utf-8", "surrogateescape")
        if isinstance(value, str) and purpose in _PARSED:
            parsed = parse_json(value)
            if parsed is not None:
                value = parsed
            elif purpose in _RAW:
                kind = "raw"
        try:
            data = value.encode("utf-8", "surrogatepass") if kind == "raw" else canonical(value)
        except TooLarge as error:
            kind, data = "size-only", b"size:%d" % error.size
            return Hashed(self._prefix + self._digest(data, purpose), kind, error.size)
        return Hashed(self._prefix + self._digest(data, purpose), kind, len(data))

    def _digest(self, data: bytes, purpose: str, length: int = 16) -> str:
        subkey = self._subkeys.get(purpose)
        if subkey is None:
            subkey = hmac.digest(self._key, f"spanledger/{purpose}/v1".encode(), "sha256")
            if len(self._subkeys) < CACHE_SIZE:
                self._subkeys[purpose] = subkey
        return hmac.digest(subkey, data, "sha256")[:length].hex()

    def token(self, kind: str, text: str) -> str:
        """A joinable stand-in for a piece of text, e.g. ``[EMAIL:1f0c33aa:9f3ab2c41d0e5a77]``."""
        plain = text.casefold() if kind in ("EMAIL", "EMAIL_ADDRESS") else text
        if kind in ("CARD", "CREDIT_CARD", "PHONE", "PHONE_NUMBER", "SSN", "US_SSN", "IBAN", "IBAN_CODE"):
            plain = "".join(c for c in text if c.isalnum()).upper()
        return f"[{kind}:{self.key_id}:{self._digest(plain.encode('utf-8', 'surrogatepass'), f'pii/{kind}', 8)}]"


_said: Final[list[str]] = []
"""Why there is no lasting key, once it was said."""


def _key_of(settings: Settings) -> tuple[bytes, bool]:
    """The key, and whether it is a random one that ends with this process."""
    if settings.hash_key is not None:
        return _decode(settings.hash_key, "hash_key (SPANLEDGER_HASH_KEY)"), False
    try:
        return _kept_key(state_directory() / "hash.key"), False
    except (OSError, ConfigurationError, RuntimeError) as error:
        if not _said:
            _said.append(str(error))
            logger.warning(
                "no lasting hash key (%s): hashes join inside this process only; set SPANLEDGER_HASH_KEY", error
            )
        return secrets.token_bytes(MIN_KEY_BYTES), True


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < MIN_KEY_BYTES:
        msg = f"{source} must be base64 of at least {MIN_KEY_BYTES} random bytes, e.g. of `openssl rand -base64 32`"
        raise ConfigurationError(msg)
    return key


def check_key(text: str | None, name: str) -> None:
    """Raise `ConfigurationError` when *text*, the setting *name*, is no key."""
    if text is not None:
        _decode(text, f"{name} (SPANLEDGER_{name.upper()})")


def _kept_key(path: Path) -> bytes:
    """The key in *path*; the first process to ask makes it, and all get the same one."""
    try:
        return _decode(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        private_file.make(path, base64.b64encode(secrets.token_bytes(MIN_KEY_BYTES)))
    return _decode(path.read_text(encoding="ascii"), str(path))


_hasher: Hasher | None = None


def configure_hasher(settings: Settings) -> Hasher:
    """Make the hasher of this process anew, from *settings*; `ConfigurationError` when its key is no key."""
    global _hasher  # noqa: PLW0603 - one per process, as meant
    with undivided():
        _hasher = Hasher(settings)
        return _hasher


def hasher() -> Hasher:
    """The hasher of this process, made from the environment when nobody configured it; never raises."""
    global _hasher  # noqa: PLW0603 - one per process, as meant
    if (known := _hasher) is not None:
        return known
    with undivided():
        if _hasher is None:
            try:
                _hasher = Hasher(Settings.load())
            except ConfigurationError as error:
                logger.warning("hashes join inside this process only: %s", error)
                _hasher = Hasher(lasting=False)
        return _hasher
