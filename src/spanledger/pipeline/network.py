"""IPv6 and MAC addresses, and what a URL must not tell: passwords, tokens, signatures."""

from __future__ import annotations

import re
from socket import AF_INET6, inet_pton
from typing import Final, TypeAlias

from . import beside
from .engine import Part

__all__ = ["DOTTED", "PARTS", "find_colon", "find_colons", "find_framed", "find_mac", "is_mac"]

Span: TypeAlias = tuple[int, int, str]

_H: Final = rb"[0-9A-Fa-f]"
ANCHORS: Final = (
    rb"://[^\s:@/\"'<>]*(?::[^/\s:]|@)",
    rb"(?:\b|_)" + b"-".join([_H + _H] * 6) + rb"(?:\b|_)",
    rb"(?:\b|_)(?:(?:" + _H + rb"{1,4}:){2,7}:[0-9A-Fa-f:.]*|" + _H + rb"{1,4}::(?:/[0-9]|[0-9A-Fa-f][0-9A-Fa-f:.]*)"
    rb"|(?:" + _H + rb"{1,4}:){5,7}[0-9A-Fa-f:.]*)",
    rb"::[0-9A-Fa-f][0-9A-Fa-f:.]*",
    rb":thin:[A-Za-z0-9_]+/",
)

PARTS: Final = (
    Part(ANCHORS[0], (b"://",)), Part(ANCHORS[1], (b"-",)), Part(ANCHORS[2], (b":",)), Part(ANCHORS[3], (b"::",)),
    Part(ANCHORS[4], (b":thin:",)),
)  # fmt: skip

DOTTED: Final = Part(rb"(?:\b|_)" + rb"\.".join([_H * 4] * 3) + rb"(?:\b|_)", (b".",))
"""A MAC address as routers write it: looked for behind cards, whose groups may have dots as well."""

_WORD: Final = re.compile(rb"[0-9A-Za-z_]")
_MORE: Final = re.compile(rb"[0-9A-Za-z]|_[0-9A-Za-z_]|\.[0-9]")
_MAC_GOES_ON: Final = re.compile(rb"[0-9A-Za-z]|_[0-9A-Za-z_]|:[0-9A-Fa-f]{2}(?![0-9A-Za-z_.])")
_MAC: Final = re.compile(rb"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_V6: Final = re.compile(rb"(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{1,4})?")
_TAIL: Final = re.compile(rb"(?:%[0-9A-Za-z_.-]{1,16})?(?:/[0-9]{1,3}(?![0-9]))?")
_USERINFO: Final = re.compile(rb"://([^\s:@/\"'<>]{0,128}):([^\s\"'<>]{1,256})@")
_TOKEN_INFO: Final = re.compile(rb"://([^\s:@/\"'<>]{12,256})@")
_THIN: Final = re.compile(rb":thin:[A-Za-z0-9_]{1,64}/([^\s@\"'\x1f]{1,128})@")
_GOES_BEFORE: Final = re.compile(rb"[0-9:]:")
_PREFIX: Final = re.compile(rb"[0-9A-Fa-f]{1,3}::|[A-Fa-f]{4}::")
_SLICE: Final = re.compile(rb"::[0-9A-Fa-f]{1,4}")
_NUMERAL: Final = re.compile(rb"[0-9]")
_SPECIAL_MACS: Final = (b"ffffffffffff", b"000000000000")


def is_mac(text: bytes) -> bool:
    """Whether *text*, found by the scan, is a MAC address with dashes or dots."""
    return (len(text) == 17 and text.count(b"-") == 5) or (len(text) == 14 and text.count(b".") == 2)


def find_mac(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add the MAC address with dashes or dots at *start*."""
    if view[end - 1 : end] == b"_":
        end -= 1
    if view[start - 1 : start] in (b"-", b".") or view[end : end + 1] == b"-" or beside.framed(view, start, end):
        return
    plain = view[start:end].replace(b"-", b"").replace(b".", b"").lower()
    if plain not in _SPECIAL_MACS and (b"-" in view[start:end] or not plain.isdigit()):
        spans.append((start, end, "MAC"))


def find_framed(view: bytes, start: int, end: int, spans: list[Span]) -> bool:
    """Add the address behind the ``_`` of ``_this_``; whether there is one."""
    if not beside.in_frame(view, start):
        return False
    known = len(spans)
    text = view[start : end - (view[end - 1 : end] == b"_")]
    if is_mac(text):
        find_mac(view, start, end, spans)
    elif b":" in text:
        find_colons(view, start, start + len(text), spans)
    return len(spans) > known


def find_colons(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add the IPv6 or MAC address that starts near *start*."""
    text = view[start:end]
    double = text.count(b"::")
    colons = text.count(b":")
    if double > 1 or (not double and colons < 5):
        return
    if _GOES_BEFORE.match(view[max(0, start - 2) : start]):
        return
    if _SLICE.fullmatch(text):
        return  # ``items[::2]``
    at = start
    for _ in range(4):  # what stands before the address may look like a part of it
        if (not _WORD.match(view[at - 1 : at]) or beside.in_frame(view, at)) and _address(view, at, spans):
            return
        at = view.find(b":", at, end) + 1
        if not at or view.count(b":", at, end) < 5:
            return


def _address(view: bytes, start: int, spans: list[Span]) -> bool:
    """Add the MAC or IPv6 address that begins at *start*; whether there is one."""
    mac = _MAC.match(view, start)
    if mac and not _MAC_GOES_ON.match(view, mac.end()):
        if mac.group().replace(b":", b"").lower() not in _SPECIAL_MACS:
            spans.append((start, mac.end(), "MAC"))
        return True
    if view[start - 1 : start + 1] == b"::":
        return False
    found = _V6.match(view, start)
    if found is None:
        return False
    last = found.end()
    if view[last - 1 : last] == b":" and view[last - 2 : last] != b"::":
        last -= 1
    if _MORE.match(view, last) or not _is_v6(view[start:last]):
        return False
    if view[start:last] not in (b"::", b"::1"):  # this machine, nobody's address
        tail = _TAIL.match(view, last)
        spans.append((start, tail.end() if tail else last, "IP"))
    return True


def _is_v6(text: bytes) -> bool:
    if _PREFIX.fullmatch(text) or not _NUMERAL.search(text):
        return False  # ``a::`` or ``a::b`` in a program
    try:
        inet_pton(AF_INET6, text.decode("latin-1"))
    except OSError:
        return False
    return True


def find_colon(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add what begins with the colon at *start*: an address like ``::ffff:10.0.0.1``, or a URL's userinfo."""
    if view[start : start + 3] == b"://":
        _find_url(view, start, spans)
    elif view[start + 1] == 0x74:
        if match := _THIN.match(view, start):
            spans.append((*match.span(1), "URL_PASSWORD"))
    else:
        find_colons(view, start, end, spans)


def _find_url(view: bytes, start: int, spans: list[Span]) -> None:
    """Add the password, or the long token, before the host of the URL whose ``://`` is at *start*."""
    if view.find(b"@", start, start + 400) < 0:
        return
    if match := _USERINFO.match(view, start):
        # A password with a raw ``@`` reaches to the last one before the path.
        first, last = match.span(2)
        value = view[first:last]
        if b"@" in value:
            host = re.search(rb"[/?#]", value)
            if host is not None and b"@" in value[: host.start()]:
                last = first + value.rfind(b"@", 0, host.start())
        if not value.startswith((b"[", b"$", b"{", b"<", b"*", b"%s")) and not _is_port(value):
            spans.append((first, last, "URL_PASSWORD"))
            if b":" not in match.group(1) and len(match.group(1)) > 24:
                spans.append((*match.span(1), "URL_PASSWORD"))
    elif match := _TOKEN_INFO.match(view, start):
        spans.append((*match.span(1), "URL_PASSWORD"))


def _is_port(value: bytes) -> bool:
    return re.match(rb"[0-9]{1,5}(?:/|$)", value) is not None and b"/" in value
