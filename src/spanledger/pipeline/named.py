"""
Secrets that their name gives away: ``password=...``, ``--api-key ...``, ``Authorization: Bearer ...``.

The scan stops at a fragment of such a name.  Here the whole name is read, classified like any key, and the value
behind it taken; names of personal data are handed to `personal`.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from . import personal
from .keys import Keys

__all__ = ["ANCHOR", "Named", "is_fragment", "is_placeholder"]

Span: TypeAlias = tuple[int, int, str]

_FRAGMENTS: Final = (
    rb"passw|passphrase|passcode|pwd|secret|token|credential|authoriz|authorisation|cookie|private.?key|api.?key"
    rb"|account.?key|access.?key|shared.?key|signing.?key|master.?key|encryption.?key|service.?key|admin.?key|app.?key"
    rb"|[?&]key\b|client.?key|storage.?key|subscription.?key|signature|connection.?string|senha|contrase"
    rb"|jsessionid|sessionid|bearer|basic |(?:\b|_)(?:auth|pass|pw|pin|otp|cvv2?|cvc|sig|sid|dsn)\b|\bmysql\b"
)
ANCHOR: Final = b"(?i:" + _FRAGMENTS + b"|" + personal.FRAGMENTS + b")"

_NAME: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_NAME_TAIL: Final = re.compile(rb"[A-Za-z0-9_-]{0,48}")
_FROM_KEYS: Final = frozenset({
    "PHONE", "SSN", "ITIN", "PASSPORT", "LICENSE", "BIRTH_DATE", "BANK_ACCOUNT", "NHS", "NATIONAL_ID", "CARD",
})  # fmt: skip

_SEPARATOR: Final = re.compile(
    rb"[\"'`\\\])]{0,6}(?:\[[0-9]{0,6}\])?[ \t]{0,4}(?:=>|:=|[!=]?==?|:|\|=|(?<=[ \t])(?=[\"']))[ \t]{0,4}"
    rb"(?:\r?\n[ \t]{1,16})?"
)
_COMPARED: Final = re.compile(rb"(?P<quote>[\"'])(?P<value>[^\"'\n\x1f]{1,128})(?P=quote) ?[!=]==? ?$")
_IN_LIST: Final = re.compile(rb"\\*[\"'] ?, ?(?=\\*[\"'])")
_TAG: Final = re.compile(rb"(?: [^<>]{0,64})?>\s{0,8}")
_SAID: Final = re.compile(rb" {1,2}(?:is|was|ist|es|est)(?: now| set to)?:? {1,2}")
_QUOTED: Final = re.compile(rb"(?P<quote>\\{0,8}[\"'`])(?P<value>[^\n\x1f]{0,4096}?)(?P=quote)")
_BARE: Final = re.compile(rb"[^\s\"'`<,;|&\x1f\\]{1,2048}")
_BRACKETS: Final = ((0x29, b"("), (0x5D, b"["), (0x7D, b"{"), (0x3E, b"<"))
_QUERY: Final = re.compile(rb"[^\s\"'`<>&#\x1f\\]{1,2048}")
_SCHEME: Final = re.compile(rb"(?i:bearer|basic|token|digest|apikey|negotiate|aws4-hmac-sha256) +(?=[^\s])")
_CREDENTIAL: Final = re.compile(rb"[A-Za-z0-9+/_.~=-]{6,4096}")
_COOKIE: Final = re.compile(rb"[^\s=;,\"'\x1f]{1,64}=\"?([^\s;,\"'\x1f\\|]{1,4096})")
_NEXT_COOKIE: Final = re.compile(rb"\"?; ?")
_COOKIE_SETTINGS: Final = (b"path=", b"domain=", b"expires=", b"max-age=", b"samesite=")
_FLAG_GAP: Final = re.compile(rb"[ =]{1,2}")
_SHORT_FLAG: Final = re.compile(rb"[^\n\x1f]{0,80}? -p([^\s\"'\x1f]{3,128})")
_BLOCK: Final = re.compile(rb"[|>][+-]?[ \t]{0,4}\r?\n([ \t]+)([^\n\x1f]{1,1024})")
_LONG_KEY: Final = re.compile(rb"=((?=[^&\s]{0,256}[0-9])(?=[^&\s]{0,256}[A-Za-z])[A-Za-z0-9_+/=.-]{20,256})")

_NOT_SECRET: Final = re.compile(
    rb"(?i:(?:str|string|int|integer|float|bool|boolean|bytes|none|null|nil|undefined|true|false|yes|no|on|off|required"
    rb"|optional|invalid|missing|expired|empty|hidden|redacted|masked|unset|default|any|secret|password|token|type|self"
    rb"|the|a|an|and|or|not|is|was|for|of|to|in|it|with|from|object|array|number|expected|unexpected|value|authorization"
    rb"|user|basic|bearer|digest|header|field|must|should|please|failed|error|ok|unauthorized|unknown|given)[.:!?]?"
    rb"|\*+|x{3,}|\.{2,}|-+|_+|[a-z_]{1,24}=\*+)$"
    rb"|[\[<{][^\s]{0,200}|\$[A-Za-z{(]|%[A-Za-z({]|sk-(?:\.|$)|.{0,8}\.\.\.|process\.env|os\.(?:environ|getenv)|env\.|args\."
    rb"|settings\.|config\.|self\.|https?://[^:@]*$|\[[A-Z_]+(?::|\])|(?i:x{4,}|your|example|placeholder|changeme)"
    rb"|(?i:sk-)?x{6,}$|\*{3}"
)
_MARKED: Final = (b"]", b":", b" ")
_STRONG: Final = re.compile(rb"[0-9!@#$%^&*+/=_~{}-]|[a-z][A-Z]|[^\x00-\x7f]")
_CALL: Final = re.compile(rb"[A-Za-z_.]{1,64}\(")


_FRAGMENT: Final = re.compile(ANCHOR)


def is_fragment(text: bytes) -> bool:
    """Whether *text*, found by the scan, is a piece of a telling name."""
    return _FRAGMENT.fullmatch(text) is not None


def is_placeholder(value: bytes) -> bool:
    """Whether *value* stands where a secret would: a type, a variable, a mask, one of our own marks."""
    return _NOT_SECRET.match(value) is not None


class Named:
    """The detector of named values."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """Add the value whose name has the fragment *start*:*end*."""
        fragment = view[start:end].lower()
        if fragment[:1] in b"?&":
            if match := _LONG_KEY.match(view, end):
                spans.append((*match.span(1), "SECRET"))
            return
        head = view[max(0, start - 48) : start]
        first = start - (len(head) - len(head.rstrip(_NAME)))
        tail = _NAME_TAIL.match(view, end)
        last = tail.end() if tail else end
        name = view[first:last]
        if b"-----" in name or (
            view[first - 1 : first] == b"[" and name.isupper() and view[last : last + 1] in _MARKED
        ):
            return  # a PEM block's head or foot, or one of our own marks
        label = self._keys.label(name.strip(b"-."))
        if label == "SECRET":
            self._secret(view, first, last, fragment, spans)
        elif label in _FROM_KEYS:
            personal.find(view, last, label, spans)
        elif fragment in _HEADS:
            _HEADS[fragment](view, start, end, spans)
        elif b"_" not in name and b"-" not in name and (label := personal.label_of(fragment)):
            personal.find(view, end, label, spans)  # ``phone_like`` is a name of its own

    def _secret(self, view: bytes, first: int, last: int, fragment: bytes, spans: list[Span]) -> None:
        name = view[first:last].lower()
        separator = _SEPARATOR.match(view, last)
        if separator and b"cookie" in name and _cookies(view, separator.end(), spans):
            return
        value = _assigned(view, first, last, separator)
        compared = view[first - 2 : first] == b"= " or view[first - 1 : first] == b"="
        if value is None and compared and (match := _COMPARED.search(view, max(0, first - 140), first)):
            value = (*match.span("value"), True)
        plain = value is not None
        if value is None and (match := _SAID.match(view, last)):
            value = _value(view, match.end())
        if value is None:
            return
        begin, stop, quoted = value
        text = view[begin:stop]
        if b"connection" in name and (b"=" in text or b"://" in text or view[stop : stop + 1] == b"="):
            return  # its passwords have names of their own
        if is_placeholder(text) or (not quoted and _CALL.match(text)):
            return
        sure = fragment.startswith((b"passw", b"passp", b"passc", b"pwd", b"secret", b"credential"))
        if _STRONG.search(text) or (plain and (quoted or sure)):
            spans.append((begin, stop, "SECRET"))


def _mysql(view: bytes, _start: int, end: int, spans: list[Span]) -> None:
    """``mysql -u root -pPASSWORD``."""
    if match := _SHORT_FLAG.match(view, end):
        spans.append((*match.span(1), "SECRET"))


def _scheme(view: bytes, start: int, _end: int, spans: list[Span]) -> None:
    """``Bearer ...`` and ``Basic ...`` without a header's name."""
    if (match := _SCHEME.match(view, start)) and (value := _CREDENTIAL.match(view, match.end())):
        text = value.group()
        if len(text) >= 12 and re.search(rb"[0-9=]", text) and not is_placeholder(text):
            spans.append((value.start(), value.end(), "SECRET"))


_HEADS: Final = {b"bearer": _scheme, b"basic ": _scheme, b"mysql": _mysql}


def _assigned(view: bytes, first: int, last: int, separator: re.Match[bytes] | None) -> tuple[int, int, bool] | None:
    """The value behind ``name=``, ``<name>``, ``--name`` or ``("name",``."""
    before = view[max(0, first - 2) : first]
    if separator:
        return _value(view, separator.end(), query=before[-1:] in (b"?", b"&"))
    if before[-1:] == b"<" and (match := _TAG.match(view, last)):
        value = _value(view, match.end())
        return value if value is not None and view[value[1] : value[1] + 2] == b"</" else None
    flag = before == b"--" or view[first : first + 1] == b"-"
    if (flag and (match := _FLAG_GAP.match(view, last))) or (match := _IN_LIST.match(view, last)):
        return _value(view, match.end())
    return None


def _value(view: bytes, at: int, *, query: bool = False) -> tuple[int, int, bool] | None:
    """Where the value at *at* begins and ends, and whether it stands in quotes."""
    if match := _QUOTED.match(view, at):
        begin, stop = match.span("value")
        if scheme := _SCHEME.match(view, begin):
            begin = min(scheme.end(), stop)
        return (begin, stop, True) if stop > begin else None
    if match := _BLOCK.match(view, at):
        return (*match.span(2), True)
    if scheme := _SCHEME.match(view, at):
        at = scheme.end()
    while at < len(view) and view[at] in b"\"'`":
        at += 1  # a quote that never closes: the value was cut
    match = (_QUERY if query else _BARE).match(view, at)
    if match is None:
        return None
    stop = match.end()
    while stop > at + 1 and (view[stop - 1] in b".,:!?" or (view[stop - 1] in b")]}>" and _closes(view, at, stop))):
        stop -= 1
    return at, stop, False


def _closes(view: bytes, at: int, stop: int) -> bool:
    """Whether the last byte closes a bracket that was opened before the value."""
    for closing, opening in _BRACKETS:
        if view[stop - 1] == closing:
            return view.count(opening, at, stop) < view.count(bytes((closing,)), at, stop)
    return False


def _cookies(view: bytes, at: int, spans: list[Span]) -> bool:
    """Each value of a ``Cookie`` or ``Set-Cookie`` header; whether there was one."""
    while at < len(view) and view[at] in b"\"'\\ ":
        at += 1
    found = False
    while match := _COOKIE.match(view, at):
        if not match.group().lower().startswith(_COOKIE_SETTINGS) and not is_placeholder(match.group(1)):
            spans.append((*match.span(1), "SECRET"))
        found = True
        following = _NEXT_COOKIE.match(view, match.end())
        if following is None:
            break
        at = following.end()
    return found
