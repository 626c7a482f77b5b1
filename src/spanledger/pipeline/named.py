"""
Values whose name gives them away: ``password=...``, ``"passport": "..."``, ``--api-key ...``, "call 030 1234567".

The scan stops at a fragment of such a name.  Here the whole name is read, classified like any key, and the value
behind it taken by its kind: secrets as they stand, personal data by their shape.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from . import checks
from .fold import fold
from .keys import Keys

__all__ = ["ANCHOR", "Named", "fits", "is_placeholder"]

Span: TypeAlias = tuple[int, int, str]

_FRAGMENTS: Final = (
    "passw|passphrase|passcode|passwd|pwd|secret|token|credential|authoriz|authorisation|cookie|private.?key|api.?key"
    "|account.?key|access.?key|shared.?key|signing.?key|master.?key|encryption.?key|service.?key|admin.?key|app.?key"
    "|client.?key|storage.?key|subscription.?key|signature|connection.?string|senha|contrase|passwort"
    "|jsessionid|sessionid|bearer|basic |\\b(?:auth|pass|pw|pin|otp|cvv2?|cvc|sig|sid|dsn|mysql)\\b"
)
_PERSONAL: Final[dict[str, str]] = {
    "PHONE": "phone|mobile|\\b(?:tel|fax|cell|call|ring|whatsapp|callback|handy|puhelin)\\b|telefon|msisdn|telefo"
             "|\\b(?:ligue|appelez|rufen|volejte|llama|llamar?|chiama|zadzwon|bel)\\b|sunati la|позвоните|дзвоніть"
             "|телефон|拨打|電話|电话|התקשרו|लिखें या|फ़ोन|καλέστε|τηλέφωνο|전화|yazin veya|arayin",
    "SSN": "\\bssns?\\b|social.?security|\\btax.?id",
    "ITIN": "\\bitin",
    "PASSPORT": "passport|\\bpasaporte|reisepass",
    "LICENSE": "driver.?s?.?licen|driving.?licen|f.hrerschein",
    "BIRTH_DATE": "birth|\\bborn\\b|\\bdob\\b|geburtsdatum|nacimiento|naissance|nascita|nascimento",
    "BANK_ACCOUNT": "bank.?account|account.?n(?:umber|o)\\b|routing.?number",
    "NHS": "\\bnhs",
    "NATIONAL_ID": "kimlik|\\bpesel|\\bnino\\b|\\b(?:tfn|sin|cpf|dni|nif|nie|pan|bsn|nir)\\b|aadha|national.?id"
                   "|national.insurance|personnummer|henkil.tunnus|codice.fiscale|taxpayer.?id",
    "CARD": "\\b(?:card|carte|karte|tarjeta|cc)\\b|card.?n(?:umber|o)\\b|卡号|카드",
}  # fmt: skip


def _folded(pattern: str) -> bytes:
    return b"|".join(re.sub(rb"[^\x00-\x7f]", lambda m: re.escape(m.group()), fold(part)) for part in [pattern])


ANCHOR: Final = b"(?i:" + fold(_FRAGMENTS) + b"|" + b"|".join(_folded(p) for p in _PERSONAL.values()) + b")"

_BY_LABEL: Final = {
    label: re.compile(b"(?:" + _folded(pattern) + b")$", re.IGNORECASE) for label, pattern in _PERSONAL.items()
}
_NAME: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_NAME_TAIL: Final = re.compile(rb"[A-Za-z0-9_-]{0,48}")

_SEPARATOR: Final = re.compile(rb"[\"'`\\\])]{0,6}[ \t]{0,4}(?P<mark>=>|:=|==?|:|\|=)[ \t]{0,4}(?:\r?\n[ \t]{1,16})?")
_IN_LIST: Final = re.compile(rb"\\*[\"'] ?, ?(?=\\*[\"'])")
_TAG: Final = re.compile(rb"(?: [^<>]{0,64})?>\s{0,8}")
_SAID: Final = re.compile(rb" {1,2}(?:is|was|ist|es|est)(?: now| set to)?:? {1,2}")
_QUOTED: Final = re.compile(rb"(?P<quote>\\{0,8}[\"'`])(?P<value>[^\n\x1f]{0,4096}?)(?P=quote)")
_BARE: Final = re.compile(rb"[^\s\"'`<>,;|&)\]}\x1f\\]{1,2048}")
_QUERY: Final = re.compile(rb"[^\s\"'`<>&#\x1f\\]{1,2048}")
_SCHEME: Final = re.compile(rb"(?i:bearer|basic|token|digest|apikey|negotiate|aws4-hmac-sha256) +(?=[^\s])")
_CREDENTIAL: Final = re.compile(rb"[A-Za-z0-9+/_.~=-]{6,4096}")
_COOKIE: Final = re.compile(rb"[^\s=;,\"'\x1f]{1,64}=\"?([^\s;,\"'\x1f\\|]{1,4096})")
_FLAG_GAP: Final = re.compile(rb"[ =]{1,2}")
_SHORT_FLAG: Final = re.compile(rb"[^\n\x1f]{0,80}? -p([^\s\"'\x1f]{3,128})")
_BLOCK: Final = re.compile(rb"[|>][+-]?[ \t]{0,4}\r?\n([ \t]+)([^\n\x1f]{1,1024})")

_NOT_SECRET: Final = re.compile(
    rb"(?i:(?:str|string|int|integer|float|bool|boolean|bytes|none|null|nil|undefined|true|false|yes|no|on|off|required"
    rb"|optional|invalid|missing|expired|empty|hidden|redacted|masked|unset|default|any|secret|password|token|type|self"
    rb"|the|a|an|and|or|not|is|was|for|of|to|in|it|with|from|object|array|number|expected|unexpected|value|authorization"
    rb"|user|basic|bearer|digest|header|field|must|should|please|failed|error|ok|unauthorized|unknown|given)[.:!?]?"
    rb"|\*+|x{3,}|\.{2,}|-+|_+)$"
    rb"|[\[<{][^\s]{0,200}|\$[A-Za-z{(]|%[A-Za-z({]|sk-\.|.{0,8}\.\.\.|process\.env|os\.(?:environ|getenv)|env\.|args\."
    rb"|settings\.|config\.|self\.|https?://[^:@]*$|\[[A-Z_]+(?::|\])|(?i:x{4,}|your|example|placeholder|changeme)"
    rb"|(?i:sk-)?x{6,}$|\*{3}"
)
_STRONG: Final = re.compile(rb"[0-9!@#$%^&*+/=_~-]|[a-z][A-Z]|[^\x00-\x7f]")
_CALL: Final = re.compile(rb"[A-Za-z_.]{1,64}\(")

_GAP: Final = re.compile(
    rb"(?:[\w.]{0,24}[\"'\\\])]{0,6}[ \t]{0,3}(?:(?i:number|no|num|nr|id|code)\b[.:]?)?[\"'\\\])]{0,6}[ \t]{0,3}"
    rb"(?:=>|[:=|#]|(?i:is|was|are|to|es|est|ist|on|at|us at|me at|la|le|al|an|o|e|sie|the number)\b)?"
    rb"[ \t:]{0,3}[\"'\\(\[]{0,6}|[^\x00-\x7f ]{0,4}[ :]{0,2})"
)
_LONG_GAP: Final = re.compile(rb"[^0-9\n\x1f,;{}]{0,24}?\b")
_SHAPES: Final[dict[str, re.Pattern[bytes]]] = {
    label: re.compile(pattern)
    for label, pattern in {
        "PHONE": rb"[+(]{0,2}[0-9][0-9 ()./-]{5,22}[0-9](?![0-9A-Za-z])",
        "SSN": rb"[0-9]{3}[ .-]?[0-9]{2}[ .-]?[0-9]{4}(?![0-9A-Za-z])",
        "ITIN": rb"9[0-9]{2}[ .-]?[0-9]{2}[ .-]?[0-9]{4}(?![0-9A-Za-z])",
        "PASSPORT": rb"[A-Z]{0,3}[0-9]{5,9}[A-Z]?[0-9]{0,4}(?![0-9A-Za-z])",
        "LICENSE": rb"[A-Z]{0,5}[0-9][0-9A-Z*-]{3,18}(?![0-9A-Za-z])",
        "BIRTH_DATE": rb"[0-9]{1,4}[./ -][0-9]{1,2}[./ -][0-9]{1,4}(?![0-9A-Za-z])|[0-9]{8}(?![0-9])"
                      rb"|[0-9]{1,2}\.? ?(?:st|nd|rd|th|de)? ?[A-Za-z\x80-\xbd]{3,10}\.?,? (?:de )?[0-9]{4}"
                      rb"|[A-Za-z]{3,9}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}",
        "BANK_ACCOUNT": rb"[0-9][0-9 -]{4,22}[0-9](?![0-9A-Za-z])",
        "NHS": rb"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9A-Za-z])",
        "NATIONAL_ID": rb"[0-9]{2,3}[ .-]?[0-9]{3}[ .-]?[0-9]{3}(?:[ .-]?[0-9]{1,3})?(?![0-9A-Za-z])"
                       rb"|[A-Z]{1,5} ?[0-9]{4,9} ?[0-9A-Z]?\b|[0-9]{6}[-+ ]?[0-9]{3,5}[A-Z]?(?![0-9A-Za-z])",
        "CARD": rb"[0-9](?:[ -]?[0-9]){11,18}(?![0-9A-Za-z])",
    }.items()
}  # fmt: skip


def is_placeholder(value: bytes) -> bool:
    """Whether *value* stands where a secret would: a type, a variable, a mask, one of our own marks."""
    return _NOT_SECRET.match(value) is not None


class Named:
    """The detector of named values."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """Add the value whose name has the fragment *start*:*end*."""
        head = view[max(0, start - 48) : start]
        first = start - (len(head) - len(head.rstrip(_NAME)))
        tail = _NAME_TAIL.match(view, end)
        last = tail.end() if tail else end
        name = view[first:last]
        label = self._keys.label(name.strip(b"-."))
        fragment = view[start:end].lower()
        if label == "SECRET":
            self._secret(view, first, last, fragment, spans)
            return
        if fragment in (b"bearer", b"basic "):
            self._scheme(view, start, spans)
        elif fragment == b"mysql":
            if match := _SHORT_FLAG.match(view, end):
                spans.append((*match.span(1), "SECRET"))
        else:
            self._personal(view, start, end, last, label, spans)

    def _secret(self, view: bytes, first: int, last: int, fragment: bytes, spans: list[Span]) -> None:
        before = view[max(0, first - 2) : first]
        name = view[first:last].lower()
        plain = True
        value: tuple[int, int, bool] | None = None
        if match := _SEPARATOR.match(view, last):
            if b"cookie" in name and _cookies(view, match.end(), spans):
                return
            value = _value(view, match.end(), query=before[-1:] in (b"?", b"&"))
        elif view[first - 1 : first] == b"<" and (match := _TAG.match(view, last)):
            value = _value(view, match.end())
            if value is None or view[value[1] : value[1] + 2] != b"</":
                return
        elif ((name.startswith(b"-") or before == b"--") and (match := _FLAG_GAP.match(view, last))) or (
            match := _IN_LIST.match(view, last)
        ):
            value = _value(view, match.end())
        elif match := _SAID.match(view, last):
            value, plain = _value(view, match.end()), False
        if value is None:
            return
        begin, stop, quoted = value
        text = view[begin:stop]
        if is_placeholder(text) or (not quoted and _CALL.match(text)):
            return
        sure = fragment.startswith((b"passw", b"passp", b"passc", b"pwd", b"secret", b"credential"))
        if _STRONG.search(text) or (plain and (quoted or sure)):
            spans.append((begin, stop, "SECRET"))

    def _scheme(self, view: bytes, start: int, spans: list[Span]) -> None:
        """``Bearer ...`` and ``Basic ...`` without a header's name."""
        if (match := _SCHEME.match(view, start)) and (value := _CREDENTIAL.match(view, match.end())):
            text = value.group()
            if len(text) >= 12 and re.search(rb"[0-9=]", text) and not is_placeholder(text):
                spans.append((value.start(), value.end(), "SECRET"))

    def _personal(self, view: bytes, start: int, end: int, last: int, label: str | None, spans: list[Span]) -> None:
        fragment = view[start:end]
        if label not in _SHAPES:
            label = next((name for name, pattern in _BY_LABEL.items() if pattern.match(fragment)), None)
            if label is None:
                return
        gap = _GAP.match(view, end if label == "PHONE" else last)
        if gap is None:
            return
        shape = _SHAPES[label]
        match = shape.match(view, gap.end())
        if match is None and label in ("PASSPORT", "LICENSE", "SSN", "NHS", "BIRTH_DATE", "NATIONAL_ID"):
            match = self._farther(view, last, shape)
        if match is None:
            return
        text = match.group()
        digits = bytes(c for c in text if 0x30 <= c <= 0x39)
        if label == "CARD" and not (checks.luhn(digits) or (match.end() == len(view) and digits[:1] in b"3456")):
            return
        if label == "PHONE" and not 7 <= len(digits) <= 15:
            return
        spans.append((match.start(), match.end(), label))

    @staticmethod
    def _farther(view: bytes, last: int, shape: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """``passport number is, as I said, 912803456``: the first number within a few words."""
        gap = _LONG_GAP.match(view, last)
        while gap is not None and gap.end() < last + 24:
            if match := shape.match(view, gap.end()):
                return match
            if gap.end() >= len(view):
                return None
            at = gap.end()
            gap = re.compile(rb"[^0-9\n\x1f,;{}]{1,24}?\b").match(view, at)
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
    while stop > at + 1 and view[stop - 1] in b".,:":
        stop -= 1
    return at, stop, False


def _cookies(view: bytes, at: int, spans: list[Span]) -> bool:
    """Each value of a ``Cookie`` or ``Set-Cookie`` header; whether there was one."""
    while at < len(view) and view[at] in b"\"'\\ ":
        at += 1
    found = False
    while match := _COOKIE.match(view, at):
        if match.group().lower().startswith((b"path=", b"domain=", b"expires=", b"max-age=", b"samesite=")):
            pass
        elif not is_placeholder(match.group(1)):
            spans.append((*match.span(1), "SECRET"))
        found = True
        at = match.end()
        rest = re.compile(rb"\"?; ?").match(view, at)
        if rest is None:
            break
        at = rest.end()
    return found


def fits(label: str, view: bytes) -> bool:
    """Whether the whole *view* has the shape of *label*."""
    shape = _SHAPES.get(label)
    if shape is None or shape.fullmatch(view.strip()) is None:
        return False
    return label != "CARD" or checks.luhn(bytes(c for c in view if 0x30 <= c <= 0x39))
