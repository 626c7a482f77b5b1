"""E-mail addresses: what stands on both sides of an ``@``."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

__all__ = ["ANCHOR", "find"]

Span: TypeAlias = tuple[int, int, str]

ANCHOR: Final = rb"[^\s@] ?@ ?[0-9A-Za-z\x80-\xbd]|[\[({ ](?i:at)[\])} ] ?[0-9A-Za-z-]{1,63} ?[\[({ ](?i:dot)[\])} ]"

_LOCAL: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-" + bytes(
    range(0x80, 0xBE)
)
_PLAIN_LOCAL: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.%+_-" + bytes(range(0x80, 0xBE))
_LABEL: Final = rb"[0-9A-Za-z\x80-\xbd](?:[0-9A-Za-z_\x80-\xbd-]{0,62}[0-9A-Za-z\x80-\xbd])?"
_TOP: Final = rb"(?:(?i:xn--)[0-9A-Za-z-]{2,59}|[A-Za-z\x80-\xbd]{2,24})"
_DOMAIN: Final = re.compile(rb"(?:" + _LABEL + rb"\.){1,8}" + _TOP + rb"(?![0-9A-Za-z])")
_SPELLED: Final = re.compile(
    _LABEL + rb" ?(?:[\[({ ](?i:dot)[\])} ]) ?" + _TOP + rb"(?![0-9A-Za-z])"
)  # fmt: skip
_SCALED_IMAGE: Final = re.compile(rb"[0-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|svg|avif|ico|bmp)", re.IGNORECASE)
_MAX_LOCAL: Final = 64


def find(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add the address around the ``@`` between *start* and *end*."""
    at = view.find(b"@", start, end)
    if at < 0:
        _spelled(view, start, spans)
        return
    stop = at
    if view[at - 1 : at] == b" ":
        stop -= 1
    head = view[max(0, stop - _MAX_LOCAL) : stop]
    local = head[len(head.rstrip(_PLAIN_LOCAL)) :].lstrip(b".%-+")
    domain = _DOMAIN.match(view, at + 2 if view[at + 1 : at + 2] == b" " else at + 1)
    if not local or domain is None or _SCALED_IMAGE.fullmatch(domain.group()):
        return
    first, last = stop - len(local), domain.end()
    if stop != at and view[at + 1 : at + 2] != b" ":
        return  # ``hello @name.tv``: a handle
    if view[last : last + 1] == b":" and view[last + 1 : last + 2] not in (b"", b" ", b"\n", b",") and local == b"git":
        return
    if view[max(0, first - 1) : first] == b"\\" and local[:1] in b"nrt" and len(local) > 1:
        first += 1
    spans.append((first, last, "EMAIL"))


def _spelled(view: bytes, start: int, spans: list[Span]) -> None:
    """``jane.doe [at] example [dot] com``."""
    head = view[max(0, start - _MAX_LOCAL) : start].rstrip(b" ")
    local = head[len(head.rstrip(_PLAIN_LOCAL)) :]
    bracketed = view[start : start + 1] in b"[({"
    begin = view.find(b"t", start) if view.find(b"t", start) >= 0 else view.find(b"T", start)
    domain = _SPELLED.match(view, begin + 2 + (view[begin + 2 : begin + 3] == b" "))
    if local and domain and bracketed:
        stop = max(0, start - _MAX_LOCAL) + len(head)
        spans.append((stop - len(local), domain.end(), "EMAIL"))
