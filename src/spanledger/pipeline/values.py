"""Where the value behind a telling name begins and ends: assigned, in quotes, in a tag, behind a flag, in words."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .fold import fold
from .vocabulary import FOREIGN_FORMS, WORDS

__all__ = [
    "Value", "assigned", "cookies", "credential", "is_code", "is_placeholder", "is_strong", "is_very_strong", "pair_of",
    "said", "scheme", "spelled",
]  # fmt: skip

Value: TypeAlias = tuple[int, int, bool]
"""Begin, end, and whether it stands in quotes."""

_SEPARATOR: Final = re.compile(
    rb"[\"'`\\\])*]{0,6}(?:</[a-z]{1,8}>)?(?:\[[0-9]{0,6}\])?[ \t]{0,4}"
    rb"(?:[=-]>|:=|\|\|=|\?\?=|[!=?]?==?|:[ \t]?(?:[A-Za-z_]{1,16}[ \t])?=(?!=)|:|\|=|(?<=[ \t])(?=[\"']))"
    rb"(?:\*{1,3}|_{2,3}|</[a-z]{1,8}>)?[ \t]{0,4}(?:\r?\n[ \t]{1,16})?(?:[@$rRbBuUfFL]{1,2}(?=[\"']))?"
)
_SETTER: Final = re.compile(rb"\([ \t]?(?=[\"'])")
_IS_SETTER: Final = re.compile(rb"(?i:[a-z0-9_]{0,48}\.){0,2}(?i:set|with)[A-Za-z_]{0,48}$")
_COMPARED: Final = re.compile(rb"(?P<quote>[\"'])(?P<value>[^\"'\n\x1f]{1,128})(?P=quote) ?[!=]==? ?$")
_IN_LIST: Final = re.compile(rb"\\*[\"'] ?, ?(?=\\*[\"'])")
_TAG: Final = re.compile(rb"(?: [^<>]{0,64})?>\s{0,8}")
_TAG_END: Final = re.compile(rb"([^\s<]{0,8})</")
_NAMED_TAG: Final = re.compile(rb"[\"'](?: [^<>]{0,64})?>\s{0,8}")
_PAIR: Final = re.compile(
    rb"(?:\\{0,4}[\"'`])?[ \t]?,?[ \t]{0,4}(?:\r?\n[ \t]{1,24}|[ \t]|(?<=,))(?:\\{0,4}[\"'])?(?i:values?|content)"
    rb"(?:\\{0,4}[\"'])?[ \t]?[:=]"
    rb"[ \t]{0,4}"
)
_SAID: Final = re.compile(
    rb"(?: (?:key|token|value|string))? {1,2}(?:is|was|ist|lautet|es|est|er|jest|to|on|e)(?: now| set to)?:? {1,2}|"
    + b"|".join(fold(word) for word in ("\u306f", "\u662f", "\u4e3a", "\u70ba"))
)
_QUOTED: Final = re.compile(rb"(?P<quote>\"\"\"|'''|\\{0,8}[\"'`])(?P<value>[^\n\x1f]{0,4096}?)(?P=quote)")
_BARE: Final = re.compile(rb"[^\s\"'`<,;|&\x1f\\]{1,2048}")
_QUOTING: Final = frozenset((b'"', b"'", b"`", b"\\"))
_BLOCKING: Final = (b"|", b">")
_BRACKETS: Final = ((0x29, b"("), (0x5D, b"["), (0x7D, b"{"), (0x3E, b"<"))
_QUERY: Final = re.compile(rb"[^\s\"'`<>&#\x1f\\]{1,2048}")
_SCHEME: Final = re.compile(
    rb"(?i:bearer|basic|token|digest|apikey|negotiate|aws4-hmac-sha256) +(?:token=\\?\"?)?(?=[^\s])"
)
_LINE: Final = re.compile(rb"[^\r\n\x1f]{6,2048}")
_OTHER_SCHEME: Final = re.compile(
    rb"[A-Za-z][A-Za-z0-9-]{1,31} {1,2}(?P<credential>(?:[A-Za-z_]{1,24}=\\?\"?)?(?=[^\s\"'\x1f]{0,64}[0-9=])"
    rb"[^\s\"'\x1f]{8,2048}(?:\\?\"?, {0,2}[A-Za-z_]{1,24}=\\?\"?[^\s\",\x1f]{1,512}){0,8})"
)
"""A scheme that is in no list of ours, and what can only be its credential."""
_TWO_GROUPS: Final = re.compile(rb"[0-9]{3,4}[ -][0-9]{3,4}(?![0-9])")
_PHRASE: Final = re.compile(rb"(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8}\b")
_SECURED: Final = re.compile(
    rb"ConvertTo-SecureString(?: -String)? {1,2}"
    rb"|(?:[a-z_]{1,24}\.){0,3}(?i:SecretStr|crypt|md5|sha1|sha2|sha256|password|hashpw|(?:hash|make|generate)_password(?:_hash)?)"
    rb"\([ \t]?[bN]?(?=\\{0,4}[\"'])"
)
"""A function that is given a secret."""
_FORM: Final = re.compile(rb"\"[^\r\n\x1f]{0,80}\r?\n(?:[A-Za-z-]{1,40}:[^\r\n\x1f]{0,80}\r?\n){0,3}\r?\n")
"""Between the name of a form's field and what was filled in."""
_HEX_KEY: Final = re.compile(rb"(?:0x)?[0-9A-Fa-f]{64}(?![0-9A-Za-z])")
_COOKIE: Final = re.compile(rb"[^\s=;,\"'\x1f]{1,64}=\"?([^\s;,\"'\x1f\\|]{1,4096})")
_NEXT_COOKIE: Final = re.compile(rb"\"?; ?")
_COOKIE_SETTINGS: Final = (b"path=", b"domain=", b"expires=", b"max-age=", b"samesite=")
_FLAG_GAP: Final = re.compile(rb"[ =]{1,2}")
_BLOCK: Final = re.compile(rb"[|>][+-]?[ \t]{0,4}\r?\n([ \t]+)([^\n\x1f]{1,1024})")

_NOT_SECRET: Final = re.compile(
    rb"(?i:(?:str|string|int|integer|float|bool|boolean|bytes|none|null|nil|undefined|true|false|yes|no|on|off|required"
    rb"|optional|invalid|missing|expired|empty|hidden|redacted|masked|unset|default|any|secret|password|token|type|self"
    rb"|the|a|an|and|or|not|is|was|for|of|to|in|it|with|from|object|array|number|expected|unexpected|value|authorization"
    rb"|raise|return|pass|continue|break|yield|await|lambda|print|user|basic|bearer|digest|header|field|must|should|please|failed|error|ok|unauthorized|unknown|given)[.:!?]?"
    rb"|\*+|x{3,}|[.,:;!?()-]+|_+|[a-z_]{1,24}=\*+)$"
    rb"|[\[<{][^\s]{0,200}|\$[A-Za-z{(]|%[A-Za-z({]|sk-(?:\.|$)|.{0,8}\.\.\.|process\.env|os\.(?:environ|getenv)|env\.|args\."
    rb"|settings\.|config\.|self\.|https?://[^:@]*$|\[[A-Z_]+(?::|\])"
    rb"|(?i:x{4,}|your|example|placeholder|changeme|insert[-_ ])|(?i:sk-)?x{6,}$|\*{3}"
)
_STRONG: Final = re.compile(rb"[0-9!@#$%^&*+/=_~{}-]|[a-z][A-Z]|[^\x00-\x7f]")
_VERY_STRONG: Final = re.compile(
    rb"(?=[^\s\"\x1f]{0,64}[0-9])(?=[^\s\"\x1f]{0,64}[a-z])(?=[^\s\"\x1f]{0,64}[A-Z])"
    rb"[^\s\"'`<>,;|&\x1f\\]{8,64}"
)
_APART: Final = re.compile(rb"[ \t]?\|[ \t]?|[ \t]\(|[ \t\n:?!]")
_BAR: Final = 0x7C
_LEAST: Final = 4
_JUMBLED: Final = re.compile(rb"(?:[A-Za-z]{1,16}[0-9]{1,16}){2}[A-Za-z]")
"""Digits in two places among letters: no ``OAuth2Session``."""
_SPOKEN: Final = (
    b"passw", b"passp", b"pwd", b"secret_access_key", b"contrase", b"kennwort", b"wachtwoord", b"senha", b"heslo",
    b"haslo", b"lozinka", b"parola", b"losenord", b"adgangskode", b"salasana", b"jelszo",
    *(form.lower() for form in FOREIGN_FORMS),
)  # fmt: skip
"""Names whose value may follow without a sign."""
_LOOSE: Final = re.compile(
    rb"[ \t]{0,2}(?:\||\xff|~|--?>?)[ \t]{1,2}|[ \t]?\t[ \t]?|[~\xff]| ?\.{3,60} ?:? ?"
    rb"| for (?:[^\s:=\x1f]{1,32} ){0,3}[^\s:=\x1f]{1,32}: ?"
)
"""Between a password and its name in tables, letters and lists."""
_MIXED: Final = re.compile(rb"(?=[^\s\x1f]{0,64}[0-9])(?=[^\s\x1f]{0,64}[A-Za-z\x80-\xfe])[^\s\"'`<>,;|\x1f\\]{6,64}")
_MARKED: Final = re.compile(
    rb"(?=[^\s\x1f]{0,64}[0-9])(?=[^\s\x1f]{0,64}[A-Za-z\x80-\xfe])(?=[^\s\x1f]{1,64}[!@#$%^*&+][0-9A-Za-z])"
    rb"[^\s\"'`<>,;|\x1f\\()]{6,64}"
)
"""Letters, digits, and a sign among them that no word and no path has."""
_CODE: Final = re.compile(
    rb"[A-Za-z_.]{1,64}(?:\(|\[(?:(?:str|int|bytes|float|bool|None|Any|[A-Z][A-Za-z]{2,32})\b|$))|S-1-[0-9]"
)
_TYPE: Final = re.compile(
    rb"(?=[A-Za-z]{0,40}(?:Token|Session|Auth|Credential|Provider|Client|Handler|Manager|Store|Type|String|Config)[A-Z0-9]?)"
    rb"(?:[A-Z]{1,3}[a-z0-9]{1,16}){2,6}[0-9]?$"
)
"""The name of a class."""


def is_placeholder(value: bytes) -> bool:
    """Whether *value* stands where a secret would: a type, a variable, a mask, one of our own marks."""
    return _NOT_SECRET.match(value) is not None


def is_strong(value: bytes) -> bool:
    """Whether *value* is no plain word."""
    return _STRONG.search(value) is not None


def is_very_strong(value: bytes) -> bool:
    """Whether *value* is no word at all: small and capital letters and digits, eight at least."""
    return _VERY_STRONG.fullmatch(value) is not None


def is_code(value: bytes, *, sure: bool) -> bool:
    """Whether *value* is code that will give one, or a type; *sure* when its name means a password and nothing else."""
    return _CODE.match(value) is not None or (not sure and _TYPE.match(value) is not None)


def scheme(view: bytes, at: int) -> int:
    """Where the credential behind ``Bearer``, ``Basic`` or their kin at *at* begins; negative when there is none."""
    match = _SCHEME.match(view, at)
    return match.end() if match else -1


def credential(view: bytes, at: int) -> tuple[int, int] | None:
    """Where the credential behind any scheme at *at* begins and ends."""
    match = _OTHER_SCHEME.match(view, at)
    return match.span("credential") if match else None


def assigned(view: bytes, first: int, last: int) -> Value | None:
    """The value of the name *first*:*last*, in ``name=``, ``<name>``, ``--name``, ``("name",`` or ``== name``."""
    before = view[max(0, first - 2) : first]
    if separator := _SEPARATOR.match(view, last):
        pair = _PAIR.match(view, last)
        found = value(view, (pair or separator).end(), query=before[-1:] in (b"?", b"&"))
        # the next line may be a name
        return None if found and b"\n" in separator.group() and view[found[1] : found[1] + 1] == b":" else found
    if before[-1:] in (b"<", b":") and (match := _TAG.match(view, last)):
        found = value(view, match.end())
        return _tagged(view, found)
    if (before == b"= " or before[-1:] == b"=") and (match := _COMPARED.search(view, max(0, first - 140), first)):
        return (*match.span("value"), True)
    flag = before in (b"--", b" -") or view[first : first + 1] == b"-" or view[max(0, first - 4) : first] == b"ENV "
    if (flag and (match := _FLAG_GAP.match(view, last))) or (match := _IN_LIST.match(view, last)):
        return value(view, match.end())
    if (match := _SETTER.match(view, last)) and _IS_SETTER.match(view, first, last):
        return value(view, match.end())
    return None


def pair_of(view: bytes, last: int) -> Value | None:
    """``name: DB_PASSWORD`` and ``value: ...`` beside or below it; ``<property name="password">...</property>``."""
    if match := _PAIR.match(view, last):
        return value(view, match.end())
    if match := _FORM.match(view, last):
        return value(view, match.end())
    match = _NAMED_TAG.match(view, last)
    return _tagged(view, value(view, match.end())) if match else None


def _tagged(view: bytes, found: Value | None) -> Value | None:
    """*found*, which begins behind a tag, when the next one ends it."""
    end = _TAG_END.match(view, found[1]) if found is not None else None
    return (found[0], end.end(1), found[2]) if found is not None and end is not None else None


def said(view: bytes, name: bytes, last: int) -> Value | None:
    """``the password is ...``; and ``password ...`` where what follows can't be a word."""
    if match := _SAID.match(view, last):
        found = value(view, match.end())
        return found if found and (found[2] or found[1] - found[0] >= _LEAST) else None
    if view[last : last + 1] == b"\x1f":
        return None  # another text begins
    gap = _APART.match(view, last)
    match = (_HEX_KEY.match(view, gap.end()) if gap and name.endswith(b"key") else None) or None
    if match:
        return (*match.span(), False)
    match = _VERY_STRONG.match(view, gap.end()) if gap else None
    spoken = any(word in name for word in _SPOKEN)
    if match is None and gap and spoken:
        match = _MARKED.match(view, gap.end())
    if match is None:
        loose = _LOOSE.match(view, last) if spoken else None
        match = _MIXED.match(view, loose.end()) if loose else None
        return (*match.span(), False) if match else None
    sure = gap is not None and (_BAR in gap.group() or _JUMBLED.search(match.group()) is not None)
    sure = sure and (_is_compound(view, name, last) or name.startswith(b"authori"))
    return (*match.span(), False) if sure or spoken else None


def _is_compound(view: bytes, name: bytes, last: int) -> bool:
    """Whether *name*, which ends at *last*, has several words: of ``client_secret`` nobody tells in passing."""
    return len(WORDS.findall(view[last - len(name) : last])) > 1


def value(view: bytes, at: int, *, query: bool = False) -> Value | None:
    """Where the value at *at* begins and ends, and whether it stands in quotes."""
    head = view[at : at + 1]
    if head in _QUOTING:
        if match := _QUOTED.match(view, at):
            return _in_quotes(view, *match.span("value"))
    elif head in _BLOCKING:
        if match := _BLOCK.match(view, at):
            return (*match.span(2), True)
    elif head.isalpha() and (found := _SCHEME.match(view, at)):
        if found.group()[:6].lower() == b"digest" and (whole := _LINE.match(view, found.end())):
            return (*whole.span(), False)
        at = found.end()
    if wrapped := _SECURED.match(view, at):
        at = wrapped.end()
        if match := _QUOTED.match(view, at):
            return _in_quotes(view, *match.span("value"))
    return _bare(view, at, _QUERY if query else _BARE)


def _bare(view: bytes, at: int, pattern: re.Pattern[bytes]) -> Value | None:
    while at < len(view) and view[at] in b"\"'`":
        at += 1  # a quote that never closes: the value was cut
    match = pattern.match(view, at)
    if match is None:
        return None
    return at, _trimmed(view, at, match.end()), False


def _trimmed(view: bytes, at: int, stop: int) -> int:
    """Where the bare value *at*:*stop* ends without what closes the sentence around it."""
    while stop > at + 1 and (view[stop - 1] in b".,:!?" or (view[stop - 1] in b")]}>" and _closes(view, at, stop))):
        stop -= 1
    return stop


def _in_quotes(view: bytes, begin: int, stop: int) -> Value | None:
    """What stands in quotes from *begin* to *stop*, without its scheme."""
    if found := _SCHEME.match(view, begin):
        begin = min(found.end(), stop)
    return (begin, stop, True) if stop > begin else None


def _closes(view: bytes, at: int, stop: int) -> bool:
    """Whether the last byte closes a bracket that was opened before the value."""
    for closing, opening in _BRACKETS:
        if view[stop - 1] == closing:
            return view.count(opening, at, stop) < view.count(bytes((closing,)), at, stop)
    return False


def spelled(view: bytes, at: int) -> tuple[int, int] | None:
    """A code in two groups, or the words of a phrase, at *at*."""
    match = _TWO_GROUPS.match(view, at) or _PHRASE.match(view, at)
    return match.span() if match else None


def cookies(view: bytes, last: int, spans: list[tuple[int, int, str]]) -> bool:
    """Add each value of the ``Cookie`` or ``Set-Cookie`` header whose name ends at *last*; whether there was one."""
    separator = _SEPARATOR.match(view, last)
    if separator is None:
        return False
    at = separator.end()
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
