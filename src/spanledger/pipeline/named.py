"""
Secrets that their name gives away: ``password=...``, ``--api-key ...``, ``Authorization: Bearer ...``.

The scan stops at a fragment of such a name.  Here the whole name is read, classified like any key, and the value
behind it taken; names of personal data are handed to `personal`.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from . import columns, markup, personal, values
from .engine import Part
from .keys import Keys
from .vocabulary import FOREIGN_FORMS, KEY_KINDS

__all__ = ["PARTS", "Named", "is_fragment", "parts_of"]

Span: TypeAlias = tuple[int, int, str]

_WORDED_KEYS: Final = b"|".join(sorted(KEY_KINDS))
_FRAGMENTS: Final = (
    rb"passw|passphrase|passcode|passord|pwd|secret|token|credential|\bcreds\b|authoriz|authorisation|cookie"
    rb"|\b(?:" + _WORDED_KEYS + rb")[ _.-]?keys?\b|[_.-](?:" + _WORDED_KEYS + rb")[_.-]?keys?\b|api.?key|private.?key"
    rb"|access.?key|account.?key|authkey|[?&](?:key|code)\b|signature|connection.?string|jsessionid|sessionid|phpsessid"
    rb"|\bsession\b|bearer|basic |mnemonic|(?:seed|recovery)[ _-]?phrase|[cx]srf"
    rb"|(?:verification|security|confirmation|access|login|time|recovery|backup|unlock|2fa|mfa|auth)[ _-]?codes?\b"
    rb"|(?:\b|_)(?:auth|pass|pw|pin|t?otp|cvv2?|cvc|sig|sid|dsn|jwt)\b|[a-z]Pass\b"
    rb"|senha|contrase|kennwort|wachtwoord|\bheslo|lozinka|\bparola|\bsifre|salasana|jelszo|haslo|mot.de.passe|losenord"
    rb"|adgangskode|\bmysql|\bdocker login\b|\bsshpass\b|\bredis-cli\b|\baz login\b|\blog ?[io]n\b| (?:-u|--user)[ =]"
    rb"|\bidentified (?:by|with)\b|\brequirepass\b|storepass|keypass|(?:\b|_)psk\b"
)
_FOREIGN: Final = b"|".join(FOREIGN_FORMS)
ANCHOR: Final = b"(?i:" + _FRAGMENTS + b"|" + personal.FRAGMENTS + b")|" + _FOREIGN + b"|" + personal.FOREIGN_FRAGMENTS

_STEMS: Final = (
    b"pass", b"pwd", b"secret", b"token", b"cred", b"authori", b"cookie", b"key", b"code", b"signature",
    b"connection", b"sess", b"phpsess", b"jsess", b"bearer", b"basic ", b"mnemonic", b"phrase", b"srf", b"auth",
    b"pw", b"pin", b"otp", b"cvv", b"cvc", b"sig", b"sid", b"dsn", b"jwt", b"senha", b"contrase", b"kennwort",
    b"wachtwoord", b"heslo", b"lozinka", b"parola", b"sifre", b"salasana", b"jelszo", b"haslo", b"mot", b"losenord",
    b"adgangskode", b"mysql", b"login", b"log in", b"logon", b"log on", b"redis-cli", b" -u", b" --user",
    b"identified ", b"psk", b"docker login",
)  # fmt: skip
_LATER: Final = frozenset(
    (*b"key code phrase srf document account zwon pass licen handy".split(), b"number is", b" nummer", b" numero")
)
"""Stems that something may stand before."""
PARTS: Final = (
    Part(ANCHOR, (*_STEMS, *personal.STEMS, *_FOREIGN.lower().split(b"|")), near=True, far=_LATER),
    Part(b"(?i:" + personal.TOLD.pattern + b")", tuple(b"%d" % digit for digit in range(10))),
)  # fmt: skip

_NAME: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_STOPS: Final = frozenset(b"%c" % char for char in b" =:\"'.,;}\n")
"""What ends a name."""
_DASH, _UNDERSCORE, _SPACE = b"-_ "
_NAME_TAIL: Final = re.compile(rb"[A-Za-z0-9_\x80-\xbd-]{0,48}")
_FROM_KEYS: Final = frozenset({
    "PHONE", "SSN", "ITIN", "PASSPORT", "LICENSE", "BIRTH_DATE", "BANK_ACCOUNT", "NHS", "NATIONAL_ID", "CARD",
})  # fmt: skip
_CREDENTIAL: Final = re.compile(rb"[A-Za-z0-9+/_.~=-]{6,4096}")
_SHORT_FLAG: Final = re.compile(rb"[^\n\x1f]{0,80}? -(?:p ?|a |-password[ =])[\"']?([^\s\"'\x1f-][^\s\"'\x1f]{2,127})")
_USER: Final = re.compile(rb"[\"']?[A-Za-z0-9_.@+-]{0,64}:([^\s\"'\x1f]{3,128})")
_LONG_KEY: Final = re.compile(
    rb"=((?=[^&\s]{0,256}[0-9])(?=[^&\s]{0,256}[A-Za-z])[A-Za-z0-9_+/=.-]{20,256}"
    rb"|(?=[^&\s]{0,32}[0-9])(?=[^&\s]{0,32}[a-z])(?=[^&\s]{0,32}[A-Z])[A-Za-z0-9_+/=.-]{12,32})"
)
_LOGIN: Final = re.compile(rb":? {0,2}[A-Za-z0-9_.@+-]{1,64} ?[/:] ?([^\s\"'\x1f]{6,128})")
_LOGIN_AS: Final = re.compile(
    rb"(?: (?:as|with|details|data))?(?::| -)? {0,2}(?:(?P<known>(?i:admin|administrator|root|sa|postgres|guest|user"
    rb"|test|demo|operator|support|oracle|ubuntu|pi))|[A-Za-z0-9_.@+-]{2,64})"
    rb" ?[/:] ?(?P<value>[^\s\"'/:\x1f]{6,128})(?!/)"
)
_USUAL: Final = frozenset(
    b"password passwd secret admin administrator letmein welcome changeme qwerty default guest master dragon monkey"
    b" iloveyou sunshine princess football baseball trustno superman abcdef".split()
)
"""What people take for a password: behind a usual account and a slash it is no path."""
_SPELLED: Final = (b"code", b"codes", b"otp", b"phrase", b"mnemonic")
_IDENTIFIED: Final = re.compile(
    rb" {1,4}(?:[A-Za-z0-9_'\"]{1,40} (?i:by|as) {1,4})?(?:(?i:password|values) )?(?P<quote>\\?[\"'])"
    rb"(?P<value>[^\"'\n\x1f]{1,256})(?P=quote)"
)
_SHORT_CODE: Final = re.compile(rb"(?: code)? (?:is )?([0-9]{3}[ -][0-9]{3}|[0-9]{3,4}|[0-9]{6,8})(?![0-9])")
_DIRECTIVE: Final = re.compile(rb" {1,4}[\"']?((?=[^\s\"'\x1f]{0,64}[0-9])[^\s\"'\x1f]{6,128})")
_NUMERIC: Final = frozenset(b"0123456789+(")
_TOLD: Final = frozenset(b"0123456789 ()./-")
_SPACES: Final = frozenset((b" ", b"\t", b"\n", b"\r", b""))
_NOTHING: Final = frozenset((b"}", b".", b";", b"/", b"*", b"&", b"%", b"#"))
"""What ends a name that nothing is said of."""
_HOLDING: Final = (b"value", b"values", b"content")
_ASSIGNS: Final = frozenset(b"%c" % char for char in b"=:|!?\"' \t-v(")
_MARKED: Final = (b"]", b":", b" ")
_SURE: Final = (b"passw", b"passp", b"passc", b"pwd", b"secret", b"credential")

_FRAGMENT: Final = re.compile(ANCHOR)


def is_fragment(text: bytes) -> bool:
    """Whether *text*, found by the scan, is a piece of a telling name."""
    return personal.TOLD.fullmatch(text) is not None or _FRAGMENT.fullmatch(text) is not None


def parts_of(keys: Keys) -> list[Part]:
    """What finds the user's own keys in a text."""
    return [
        Part(rb"(?i:\b" + b"[ _.-]?".join(re.escape(word) for word in words) + rb")\b", (words[0].lower(),))
        for words in keys.spelled
        if words
    ]


class Named:
    """The detector of named values."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, view: bytes, start: int, end: int, spans: list[Span]) -> int | None:
        """Add the value whose name has the fragment *start*:*end*; where the scan goes on, if not behind it."""
        if view[end - 1] in _NUMERIC and (verb := personal.VERB.match(view, start)):
            known = len(spans)
            self._find(view, start, verb.end(), spans)
            return spans[-1][0] if len(spans) > known else verb.end()  # what follows was only looked at
        if view[end - 1] in columns.SIGNS:
            end = start + len(view[start:end].rstrip(columns.AROUND))
        if view[end - 1] in _TOLD and (at := personal.find_told(view, start, spans)):
            return at
        self._find(view, start, end, spans)
        return None

    def _find(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        fragment = view[start:end].lower()
        if view[start] == _SPACE:
            _HEADS[fragment](view, start, end, spans)
            return
        if view[start] in b"?&":
            _query(view, start, end, spans)
            return
        first, last = _around(view, start, end)
        name = view[first:last]
        if (_DASH in name and b"-----" in name) or (
            view[first - 1 : first] == b"[" and name.isupper() and view[last : last + 1] in _MARKED
        ):
            return  # a PEM block's head or foot, or one of our own marks
        label = self._keys.label(name.strip(b"-."))
        known = len(spans)
        if label == "SECRET":
            self._secret(view, first, last, fragment, spans)
        elif label in _FROM_KEYS:
            personal.find(view, end if view[end : end + 1].isdigit() else last, label, spans)
        elif _UNDERSCORE not in name and _DASH not in name and (label := personal.label_of(fragment)):
            personal.find(view, end, label, spans)  # ``phone_like`` is a name of its own
        if len(spans) == known:
            if fragment in _HEADS:
                _HEADS[fragment](view, start, end, spans)
            elif label:
                tables = markup if markup.is_cell(view, last) else columns
                tables.find(view, first, last, label, spans)

    def _secret(self, view: bytes, first: int, last: int, fragment: bytes, spans: list[Span]) -> None:
        if fragment == b"cookie" and values.cookies(view, last, spans):
            return
        found, plain = _behind(view, first, last, fragment)
        if found is None and plain:
            return
        name = view[first:last].lower()
        found = found or values.said(view, name, last)
        if found is None or (fragment.startswith(b"authori") and _of_scheme(view, found, spans)):
            return
        begin, stop, quoted = found
        text = view[begin:stop]
        if b"connection" in name and (b"=" in text or b"://" in text or view[stop : stop + 1] == b"="):
            return  # its passwords have names of their own
        if values.is_placeholder(text) or (not quoted and values.is_code(text, sure=fragment.startswith(_SURE))):
            return
        if fragment.endswith((b"code", b"codes")) and not _has_digit(text):
            return
        if fragment.endswith(_SPELLED) and (spelled := values.spelled(view, begin)):
            spans.append((*spelled, "SECRET"))
        elif values.is_strong(text) or (
            plain and (quoted or fragment.startswith(_SURE) or self._keys.is_own(view[first:last]))
        ):
            spans.append((begin, stop, "SECRET"))


def _around(view: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the name with the fragment *start*:*end* begins and ends."""
    first = start
    if start and view[start - 1] in _NAME:
        head = view[max(0, start - 48) : start]
        first -= len(head) - len(head.rstrip(_NAME))
    tail = _NAME_TAIL.match(view, end) if view[end : end + 1] not in _STOPS else None
    last = tail.end() if tail else end
    return first, last - 1 if view[last - 1 : last + 1] == b"->" else last


def _behind(view: bytes, first: int, last: int, fragment: bytes) -> tuple[values.Value | None, bool]:
    """The value of the name *first*:*last*, and whether there is no use in looking for it in words."""
    one, other = view[last : last + 1], view[last + 1 : last + 2]
    ends = one in _NOTHING and not view.startswith((b"...", b"**"), last)
    if ends and view[first - 1 : first] not in (b"=", b" "):
        return None, True
    if one.isalnum() or (one == b" " and fragment in _HEADS):
        return None, True
    found = None
    flag = view[first : first + 1] == b"-" or view[first - 1 : first] in (b"<", b":", b"-")
    flag = flag or view[max(0, first - 4) : first] == b"ENV "
    if one not in _SPACES or other in _ASSIGNS or flag:
        found = values.assigned(view, first, last)
    if (found is None or view[found[0] : found[1]].lower() in _HOLDING) and (one != b" " or other == b"v"):
        found = values.pair_of(view, last) or found
    return found, found is not None


def _of_scheme(view: bytes, found: values.Value, spans: list[Span]) -> bool:
    """Add the credential of an ``Authorization`` header whose scheme was *found*; whether it is one."""
    begin, _, quoted = found
    credential = None if quoted else values.credential(view, begin)
    if credential is not None:
        spans.append((*credential, "SECRET"))
    return credential is not None


def _has_digit(text: bytes) -> bool:
    return any(0x30 <= char <= 0x39 for char in text)


def _query(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``?key=...`` and ``&code=...``."""
    if match := _LONG_KEY.match(view, end):
        spans.append((*match.span(1), "SECRET"))


def _short_flag(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``mysql -u root -pPASSWORD``, ``docker login -p PASSWORD``, ``redis-cli -a PASSWORD``."""
    if match := _SHORT_FLAG.match(view, end):
        spans.append((*match.span(1), "SECRET"))


def _user(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``curl -u admin:PASSWORD``."""
    if (match := _USER.match(view, end)) and not match.group(1).isdigit() and not values.is_placeholder(match.group(1)):
        spans.append((*match.span(1), "SECRET"))


def _scheme(view: bytes, start: int, _end: int, spans: list[Span]) -> None:
    """``Bearer ...`` and ``Basic ...`` without a header's name."""
    at = values.scheme(view, start)
    if at > 0 and (value := _CREDENTIAL.match(view, at)):
        text = value.group()
        if len(text) >= 12 and re.search(rb"[0-9=]", text) and not values.is_placeholder(text):
            spans.append((value.start(), value.end(), "SECRET"))


def _short_code(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``cvv 123``, ``OTP 829 113``."""
    if match := _SHORT_CODE.match(view, end):
        spans.append((*match.span(1), "SECRET"))


def _identified(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``CREATE USER ... IDENTIFIED BY 'PASSWORD'``."""
    if (match := _IDENTIFIED.match(view, end)) and not values.is_placeholder(match["value"]):
        spans.append((*match.span("value"), "SECRET"))


def _directive(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``requirepass PASSWORD`` in a file of settings."""
    if (match := _DIRECTIVE.match(view, end)) and not values.is_placeholder(match.group(1)):
        spans.append((*match.span(1), "SECRET"))


def _login(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``creds: admin / PASSWORD``."""
    if (match := _LOGIN.match(view, end)) and _has_digit(match.group(1)):
        spans.append((*match.span(1), "SECRET"))


def _login_as(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``login admin/PASSWORD``: with a usual name anything with a digit, else what can't be a word or a path."""
    if match := _LOGIN_AS.match(view, end):
        first, last = match.span("value")
        last -= len(match["value"]) - len(match["value"].rstrip(b".,;!?)"))
        text = view[first:last]
        if values.is_very_strong(text) or (match["known"] and (_has_digit(text) or text.lower() in _USUAL)):
            spans.append((first, last, "SECRET"))


_HEADS: Final = {
    b"bearer": _scheme, b"basic ": _scheme, b"mysql": _short_flag, b"docker login": _short_flag, b"creds": _login,
    b"sshpass": _short_flag, b"redis-cli": _short_flag, b"az login": _short_flag,
    b"login": _login_as, b"log in": _login_as, b"logon": _login_as, b"log on": _login_as,
    b"cvv": _short_code, b"cvv2": _short_code, b"cvc": _short_code, b"otp": _short_code, b"totp": _short_code,
    b"identified by": _identified, b"identified with": _identified, b"requirepass": _directive,
    b" -u ": _user, b" --user ": _user, b" --user=": _user,
}  # fmt: skip
