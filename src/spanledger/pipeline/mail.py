"""E-mail addresses: what stands on both sides of an ``@``."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

__all__ = ["ANCHORS", "find", "find_spelled"]

Span: TypeAlias = tuple[int, int, str]

ANCHORS: Final = (rb"@+", rb"[\[({](?i:at)[\])}]")

_LOCAL: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.%+_-" + bytes(range(0x80, 0xBE))
_LABEL: Final = rb"[0-9A-Za-z\x80-\xbd](?:[0-9A-Za-z_\x80-\xbd-]{0,62}[0-9A-Za-z\x80-\xbd])?"
_TOP: Final = rb"(?:(?i:xn--)[0-9A-Za-z-]{2,59}|[A-Za-z\x80-\xbd]{2,24})(?![0-9A-Za-z])"
_DOMAIN: Final = re.compile(rb"(?:" + _LABEL + rb"\.){1,8}" + _TOP)
_SPELLED: Final = re.compile(rb" ?(?:" + _LABEL + rb" ?(?:[\[({](?i:dot)[\])}]|\.) ?){1,4}" + _TOP)
_SCALED_IMAGE: Final = re.compile(rb"[0-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|svg|avif|ico|bmp)", re.IGNORECASE)
_MAX_LOCAL: Final = 64


def find(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add the address around the ``@`` at *start*."""
    if end - start > 1 or (spans and spans[-1][1] == start and spans[-1][2] == "URL_PASSWORD"):
        return
    stop = start
    spaced = view[start - 1 : start] == b" "
    if spaced:
        if view[start + 1 : start + 2] != b" ":
            return  # ``hello @name.tv``: a handle
        stop -= 1
    head = view[stop - _MAX_LOCAL if stop > _MAX_LOCAL else 0 : stop]
    local = head[len(head.rstrip(_LOCAL)) :].lstrip(b".%-+")
    if not local:
        return
    domain = _DOMAIN.match(view, start + 2 if spaced else start + 1)
    if domain is None or _SCALED_IMAGE.fullmatch(domain.group()):
        return
    first, last = stop - len(local), domain.end()
    if local == b"git" and view[last : last + 1] == b":" and view[last + 1 : last + 2] not in (b"", b" ", b"\n", b","):
        return
    if local[0] in b"nrt" and len(local) > 1 and view[first - 1 : first] == b"\\" and first:
        first += 1  # a line break that was spelled out
    spans.append((first, last, "EMAIL"))


def find_spelled(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add ``jane.doe [at] example [dot] com``, whose ``[at]`` is at *start*."""
    head = view[max(0, start - _MAX_LOCAL - 1) : start].rstrip(b" ")
    local = head[len(head.rstrip(_LOCAL)) :]
    domain = _SPELLED.match(view, end)
    if local and domain:
        stop = max(0, start - _MAX_LOCAL - 1) + len(head)
        spans.append((stop - len(local), domain.end(), "EMAIL"))
