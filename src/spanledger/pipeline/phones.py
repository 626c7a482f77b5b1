"""Phone numbers by their grouping: behind a plus, abroad by 00, American, behind a trunk zero."""

from __future__ import annotations

from . import beside, checks

__all__ = ["abroad", "american", "plus", "trunk"]


def plus(view: bytes, start: int, end: int) -> str | None:
    """``+49 30 ...``: a country's calling code, and a length used there."""
    if beside.before(view, start) in beside.WORD and not beside.in_frame(view, start):
        return None
    digits = view[start:end].replace(b"(0)", b"").translate(None, beside.SEPARATORS)
    return "PHONE" if 8 <= len(digits) <= 15 and checks.calling_code(digits) else None


def abroad(view: bytes, start: int, end: int) -> str | None:
    """``0049 30 ...``: only a number that its country gives out."""
    if view[start : start + 2] != b"00" or beside.before(view, start) in b"-.#/$" or beside.runs_on(view, end):
        return None
    number = beside.digits(view, start + 2, end)
    return "PHONE" if 8 <= len(number) <= 15 and checks.assigned_phone(number) else None


def american(view: bytes, start: int, end: int) -> str | None:
    """``(415) 555-2671``, with or without the country's one."""
    if beside.before(view, start) in b"-./#$" or beside.runs_on(view, end) or beside.framed(view, start, end):
        return None
    number = view[start:end].partition(b"x")[0].rstrip(b"e").translate(None, beside.SEPARATORS)
    code, digits = number[:-10], number[-10:]
    if digits[0] < 0x32 or digits[1:3] == b"11":
        return None
    if digits[3] < 0x32 and not (view[start] == 0x28 or digits[:3] == b"555"):  # people write them
        return None
    return "PHONE" if not code or checks.calling_code(number) else None


def trunk(view: bytes, start: int, end: int) -> str | None:
    """``03-1234-5678``, ``09-7625400``: a trunk zero and its groups."""
    if view[start] != 0x30 or beside.before(view, start) in b"-./#$" or beside.runs_on(view, end):
        return None
    return "PHONE" if view[start + 1] != 0x30 else None
