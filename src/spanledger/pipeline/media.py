"""Images, audio and documents inside values: replaced by what they are, how large, and a hash; never scanned."""

from __future__ import annotations

import re
from typing import Final

from spanledger.hashing import hasher

__all__ = ["MIN_BLOB", "described", "without_media"]

MIN_BLOB: Final = 1024
"""Shorter texts hold media only where a ``;`` says so."""
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-\r\n"
_DATA_URI: Final = re.compile(
    r"data:([a-z]{2,16}/[A-Za-z0-9.+-]{1,64})?((?:;[A-Za-z0-9=._-]{1,48}){0,4});base64,([A-Za-z0-9+/=_%-]{64,})"
)
_MAGIC: Final = (
    (b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "audio/wav"),
    (b"%PDF", "application/pdf"), (b"PK\x03\x04", "application/zip"), (b"OggS", "audio/ogg"), (b"ID3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"), (b"\x00\x00\x00", "video/mp4"), (b"\x1f\x8b", "application/gzip"),
)  # fmt: skip
_MAGIC_BASE64: Final = (
    ("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "audio/wav"),
    ("JVBERi0", "application/pdf"), ("UEsDB", "application/zip"), ("T2dnUw", "audio/ogg"), ("SUQz", "audio/mpeg"),
)  # fmt: skip


_LONG_RUN: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{1024,}={0,2}")


def _run(match: re.Match[str]) -> str:
    text = match.group()
    return _mark("application/octet-stream", len(text) * 3 // 4, text) if len(set(text[:2048])) >= 24 else text


def _without_runs(text: str) -> str:
    # a run of 1,024 covers a whole block of 512 wherever it begins, and words have spaces between them
    for at in range(0, len(text) - 511, 512):
        if " " not in text[at : at + 512]:
            return _LONG_RUN.sub(_run, text)
    return text


def _mark(kind: str, size: int, content: str | bytes) -> str:
    return f"[MEDIA {kind} {size} bytes {hasher().hash(content, 'media').text}]"


def described(data: bytes) -> str | None:
    """What stands for *data* when it is no text."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return _mark(kind, len(data), data)
    if len(data) >= MIN_BLOB and (b"\x00" in data[:512] or sum(c < 9 for c in data[:512]) > 16):
        return _mark("application/octet-stream", len(data), data)
    return None


def without_media(text: str) -> str:
    """*text* with its data URIs and, when it is nothing else, its Base64 replaced; the same object when it has none."""
    if len(text) < MIN_BLOB and ";" not in text:
        return text
    if ";base64," in text:
        return _DATA_URI.sub(
            lambda m: _mark(m.group(1) or "text/plain", len(m.group(3)) * 3 // 4, m.group(3)), text
        )  # fmt: skip
    if len(text) < MIN_BLOB:
        return text
    mixed = " " in text[:256] or not text.isascii()
    if mixed or text[:256].encode().translate(None, _BASE64) or text.encode().translate(None, _BASE64):
        return _without_runs(text)
    kind = next((kind for head, kind in _MAGIC_BASE64 if text.startswith(head)), "application/octet-stream")
    if kind.endswith("octet-stream") and len(set(text[:2048])) < 24:
        return text
    return _mark(kind, len(text) * 3 // 4, text)
