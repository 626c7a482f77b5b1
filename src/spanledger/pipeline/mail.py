"""E-mail addresses: what stands on both sides of an ``@``."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .engine import Part

__all__ = ["PARTS", "find", "find_spelled"]

Span: TypeAlias = tuple[int, int, str]

_COMMON: Final = (
    b"com|org|net|edu|gov|mil|int|info|biz|io|co|ai|app|dev|me|eu|us|uk|de|fr|es|it|nl|pl|ru|cn|jp|kr|br|in|ca|au|ch|at"
    b"|se|no|fi|dk|be|cz|pt|gr|tr|ua|ro|hu|ie|il|mx|ar|cl|za|sg|hk|tw|nz"
)
_END: Final = rb"[A-Za-z\x80-\xff]{2}"
_MORE: Final = rb"[0-9A-Za-z_\x80-\xff-]"
_NO_IMAGE: Final = (
    rb"(?:[pP][^nN]|[jJ][^pP]|[gG][^iI]|[wW][^eE]|[sS][^vV]|[aA][^vV]|[iI][^cC]|[bB][^mM]|[^pPjJgGwWsSaAiIbB][^.])"
    rb"|(?i:pn|jp|gi|sv|bm)(?:[^A-Za-z]|$)"
)
ANCHORS: Final = (
    rb"[0-9A-Za-z_\x80-\xff.%+\"-]@(?:[A-Za-z\x80-\xff](?:"
    + _MORE
    + rb"*\.)+?"
    + _END
    + rb"|[0-9](?:[0-9A-WYZa-wyz_\x80-\xff-]"
    + _MORE
    + rb"*|[xX]"
    + _MORE
    + rb"+|)\.(?:"
    + _MORE
    + rb"*\.)*?"
    + _END
    + rb"|[0-9][xX]\.(?:"
    + _MORE
    + rb"+\."
    + _END
    + rb"|"
    + _NO_IMAGE
    + rb"))",
    rb"[0-9A-Za-z_\x80-\xbd](?: @ ?|@ | ?\r?\n ?@|@ ?\r?\n ?)[0-9A-Za-z\x80-\xbd](?:[0-9A-Za-z-]*(?: \. |\.))+"
    rb"(?i:" + _COMMON + rb")\b",
    rb"[\[({<](?i:at)[\])}>]",
    rb"[0-9A-Za-z_] (?i:at) [0-9A-Za-z-]+ (?i:dot) [A-Za-z]{2}",
)

_LOCAL: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.%+_-" + bytes(range(0x80, 0xBE))
PARTS: Final = (
    Part(ANCHORS[0], (b"@",)), Part(ANCHORS[1], (b"@",)), Part(ANCHORS[2], (b"at",)), Part(ANCHORS[3], (b" dot ",)),
)  # fmt: skip
_OTHER_SCRIPTS: Final = bytes(range(0xC0, 0xFE)) + b"._-"
_LABEL: Final = rb"[0-9A-Za-z\x80-\xbd](?:[0-9A-Za-z_\x80-\xbd-]{0,62}[0-9A-Za-z\x80-\xbd])?"
_TOP: Final = rb"(?:(?i:xn--)[0-9A-Za-z-]{2,59}|[A-Za-z\x80-\xbd]{2,24})(?![0-9A-Za-z])"
_DOMAIN: Final = re.compile(rb"(?:" + _LABEL + rb"\.){1,8}" + _TOP)
_FOREIGN_DOMAIN: Final = re.compile(
    rb"[0-9A-Za-z\x80-\xfe-]{1,32}(?:\.[0-9A-Za-z\x80-\xfe-]{1,32}){0,3}\.(?:[\x80-\xfe]{2,8}|(?:" + _COMMON + rb")\b)"
)
_QUOTED: Final = re.compile(rb"\"[0-9A-Za-z._%+-]{1,62}\"$")
_SPACED_DOMAIN: Final = re.compile(rb"(?:" + _LABEL + rb"(?: \. |\.)){1,4}(?i:" + _COMMON + rb")(?![0-9A-Za-z(])")
_SPACED_LOCAL: Final = re.compile(rb"(?:[0-9A-Za-z_%+-]{1,32} \. ){1,3}[0-9A-Za-z_%+-]{1,32} ?$")
_AT: Final = re.compile(rb" ?\r?\n? ?@ ?\r?\n? ?")
_TELLING: Final = re.compile(rb"[0-9._+%]")
_SPELLED: Final = re.compile(
    rb" ?(?:" + _LABEL + rb" ?(?:[\[({<](?i:dot)[\])}>]|(?<= )(?i:dot)(?= )|\.) ?){1,4}" + _TOP
)
_SCALED_IMAGE: Final = re.compile(
    rb"(?i:[0-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|svg|avif|ico|bmp))(?![0-9A-Za-z-]|\.[0-9A-Za-z])"
)
_MAX_LOCAL: Final = 64
_QUOTE: Final = 0x22
_AT_SIGN: Final = 0x40
_BLANKS: Final = (b" ", b"\n", b"\r")


def find(view: bytes, start: int, end: int, spans: list[Span]) -> bool:
    """Add the address around the ``@`` behind *start*; whether there is one."""
    at = view.find(_AT_SIGN, start, end)
    if at < 0 or (spans and spans[-1][1] == at and spans[-1][2] == "URL_PASSWORD"):
        return False
    if at != start + 1 or view[at + 1 : at + 2] in _BLANKS:
        return _spaced(view, start, spans)
    if (view[start] == _QUOTE and (not start or view[start - 1] not in _LOCAL)) or _SCALED_IMAGE.match(view, at + 1):
        return False  # a string that begins with a handle, or ``logo@2x.png``
    head = view[at - _MAX_LOCAL if at > _MAX_LOCAL else 0 : at]
    local = head[len(head.rstrip(_LOCAL)) :].lstrip(b".%-+")
    domain = _DOMAIN.match(view, at + 1)
    if not local and view[start] == _QUOTE:
        local = match.group() if (match := _QUOTED.search(head)) else b""
    elif not local:
        domain = _FOREIGN_DOMAIN.match(view, at + 1)
        local = head[len(head.rstrip(_OTHER_SCRIPTS)) :][-16:]
    if not local or domain is None:
        return False
    first, last = at - len(local), domain.end()
    if local == b"git" and view[last : last + 1] == b":" and view[last + 1 : last + 2] not in (b"", b" ", b"\n", b","):
        return False
    if local[0] in b"nrt" and len(local) > 1 and view[first - 1 : first] == b"\\" and first:
        first += 1  # a line break that was spelled out
    spans.append((first, last, "EMAIL"))
    return True


def _spaced(view: bytes, start: int, spans: list[Span]) -> bool:
    """``jane.doe @ example.com``, or with a line's end in it; ``hello @name.tv`` is a handle."""
    gap = _AT.match(view, start + 1)
    domain = _SPACED_DOMAIN.match(view, gap.end()) if gap else None
    if gap is None or domain is None:
        return False
    head = view[max(0, start + 1 - _MAX_LOCAL) : start + 1]
    if b" . " in domain.group() and (spelled := _SPACED_LOCAL.search(head)):
        local = spelled.group()
    else:
        local = head[len(head.rstrip(_LOCAL)) :]
    both = gap.group() == b" @ "
    if not local or not (both or _TELLING.search(local)):
        return False
    spans.append((start + 1 - len(local), domain.end(), "EMAIL"))
    return True


def find_spelled(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add ``jane.doe [at] example [dot] com``, whose ``[at]`` is at *start*, or the same in plain words."""
    if view[start + 1 : start + 2] == b" ":
        start, end = start + 1, start + 4
    head = view[max(0, start - _MAX_LOCAL - 1) : start].rstrip(b" ")
    local = head[len(head.rstrip(_LOCAL)) :]
    domain = _SPELLED.match(view, end)
    if local and domain:
        stop = max(0, start - _MAX_LOCAL - 1) + len(head)
        spans.append((stop - len(local), domain.end(), "EMAIL"))
