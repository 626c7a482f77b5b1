"""Numbers that states give to people, by their check digits."""

from __future__ import annotations

from . import beside, checks

__all__ = ["cpf", "dated", "nhs", "nir"]


def nhs(view: bytes, start: int, end: int) -> str | None:
    """A number of the British health service, by its check digit."""
    return "NHS" if not beside.runs_on(view, end) and checks.mod11_nhs(beside.digits(view, start, end)) else None


def cpf(view: bytes, start: int, end: int) -> str | None:
    """A Brazilian taxpayer's, by its check digits."""
    return "NATIONAL_ID" if checks.cpf(beside.digits(view, start, end)) else None


def nir(view: bytes, start: int, end: int) -> str | None:
    """A French social security number, by its key."""
    digits = beside.digits(view, start, end)
    return "NATIONAL_ID" if checks.nir(digits) else None


def dated(view: bytes, start: int, end: int) -> str | None:
    """Numbers that begin with a birth date: Korean (6-7) with a century digit, Swedish (6-4) with Luhn."""
    digits = beside.digits(view, start, end)
    korean = len(digits) == 13 and digits[6] in b"12345678"
    day = digits if korean else digits[-10:]
    if beside.before(view, start) in b"-.#" or beside.runs_on(view, end):
        return None
    if not checks.date(0, int(day[2:4]), int(day[4:6])):
        return None
    return "NATIONAL_ID" if korean or checks.luhn(digits[-10:]) else None
