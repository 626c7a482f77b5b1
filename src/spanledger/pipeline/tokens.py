"""
Keys and tokens that tell by their looks who issued them: vendor prefixes, JWT, PEM.

A prefix near the end of a value counts with fewer characters behind it: attribute limits cut before we see the value.
"""

from __future__ import annotations

import base64
import re
from typing import Final, TypeAlias

from .engine import Part
from .vendors import COMMON, MIXED, STARTS, STEMS, VENDORS, WEBHOOK_HOSTS

__all__ = ["PACKED", "PARTS", "find", "packed"]

Span: TypeAlias = tuple[int, int, str]

_WEBHOOK: Final = rb"https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9_/]{16,}"
_WEBHOOKS: Final = re.compile(
    _WEBHOOK
    + rb"|https://[a-z0-9-]{0,64}\.?(?:webhook\.office|outlook\.office)\.com/webhook[a-z0-9]{0,4}/[A-Za-z0-9@/_-]{32,}"
    rb"|https://hooks\.zapier\.com/hooks/catch/[A-Za-z0-9_/]{8,}"
    rb"|https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{16,}"
)

ANCHOR: Final = (
    rb"(?:\b|_)(?:" + b"|".join(dict.fromkeys(prefix for _, prefix, _ in VENDORS)) + rb")"
    rb"[A-Za-z0-9+/_-]|-----BEGIN |eyJ[A-Za-z0-9_-]{8}|" + WEBHOOK_HOSTS + rb"|Private-Lines: "
    rb"|[78]Q~[A-Za-z0-9_~.-]{8}|\.atlasv1\.|---- BEGIN SSH2 "
)  # fmt: skip

PARTS: Final = (Part(ANCHOR, tuple(STEMS)),)

_LONGEST: Final = 512
"""Characters of a vendor's key."""
_BY_START: Final = {
    start: re.compile(
        b"|".join(
            rb"(?P<k%d>%s%s)" % (i, prefix, body.replace(b",}", b",%d}" % _LONGEST))
            for i, (_, prefix, body) in enumerate(VENDORS)
            if start in STARTS.get(prefix, prefix[:1])
        )
    )
    for start in sorted({char for _, prefix, _ in VENDORS for char in STARTS.get(prefix, prefix[:1])})
}
"""By the first byte: one pattern of all would try fifty."""
_PREFIXES: Final = b"|".join(dict.fromkeys(prefix for _, prefix, _ in COMMON))
_CUT: Final = re.compile(rb"(?:" + _PREFIXES + rb")[A-Za-z0-9_-]{12,256}")
_ENDS: Final = (b"", b"\x1f", b'"')
_BROKEN: Final = re.compile(
    rb"(?:gh[pousr]_|github_pat_|sk-(?:ant|proj)-|xox[abp]-|AIza|glpat-|hf_)[A-Za-z0-9_-]{8,128}"
    rb"\\?\r?\n ?(?=[A-Za-z_-]{0,32}[0-9])[A-Za-z0-9_-]{8,512}"
)
_PUTTY: Final = re.compile(rb"Private-Lines: [0-9]{1,3}\r?\n(?:[A-Za-z0-9+/=]{16,128}\r?\n?){1,64}")
_JWT_HEAD: Final = re.compile(rb"eyJ[A-Za-z0-9_-]{8,4096}")
_JWT_REST: Final = re.compile(rb"(?:\.[A-Za-z0-9_-]{2,65536}){1,4}")
_JSON_HEAD: Final = re.compile(rb"eyJ[A-Za-z0-9+/_-]{20,61}")
_JSON_REST: Final = re.compile(rb"[A-Za-z0-9+/_-]*={0,2}")
_PEM: Final = re.compile(
    rb"-----BEGIN (?P<what>[A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE|MESSAGE)(?: BLOCK)?)-----"
    rb"(?:[^-\x1f]|-(?!----)){0,16384}(?:-----END (?P=what)-----)?"
    rb"|---- BEGIN SSH2 [A-Z ]{0,24}PRIVATE KEY ----(?:[^-\x1f]|-(?!---)){0,16384}"
    rb"(?:---- END SSH2 [A-Z ]{0,24}PRIVATE KEY ----)?"
)
_WRAPPED: Final = re.compile(rb"\\?\r?\n ?(?=[A-Za-z0-9_-]{12,}(?:[\s\"',;\x1f]|$))[A-Za-z0-9_-]{12,}")
_DIGIT, _SMALL, _CAPITAL = re.compile(rb"[0-9]"), re.compile(rb"[a-z]"), re.compile(rb"[A-Z]")
PACKED: Final = rb"\b(?:[A-Za-f][A-Za-z0-9]{3}){5}"
"""How Base64 of plain text begins: the first bit of its bytes is never set."""
_PACKED_HEAD: Final = re.compile(rb"[A-Za-z0-9+/_-]{20,64}")
_PACKED: Final = re.compile(rb"[A-Za-z0-9+/_-]{20,65536}={0,2}")
_FIRST: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef=")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_PRINTED: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_GLUE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_PLACEHOLDER: Final = re.compile(rb"(?i)x{6,}|\*{3,}|your|example|placeholder|changeme|insert|\.\.\.")
_BLANK: Final = re.compile(rb"(?i)x{6,}|\*{3,}|\.\.\.")
_MANY_DIGITS: Final = re.compile(rb"(?:[^0-9]*[0-9]){6}")
"""With so many of them a key is one, though it says that it is an example."""


_AZURE: Final = re.compile(rb"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{30,40}")
_TERRAFORM: Final = re.compile(rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,80}")
_SPECIAL: Final = {
    b"---": (_PEM, 0, "PRIVATE_KEY"), b"htt": (_WEBHOOKS, 0, "WEBHOOK"), b"Pri": (_PUTTY, 0, "PRIVATE_KEY"),
    b"7Q~": (_AZURE, 3, "AZURE_SECRET"), b"8Q~": (_AZURE, 3, "AZURE_SECRET"),
    b".at": (_TERRAFORM, 14, "TERRAFORM_TOKEN"),
}  # fmt: skip
"""By how what the scan stopped at begins: the pattern, and how far before it the key does."""


def find(view: bytes, start: int, _end: int, spans: list[Span]) -> bool:
    """Add the token that starts at *start*; whether there is one."""
    known = len(spans)
    _find(view, start, spans)
    return len(spans) > known


def _find(view: bytes, start: int, spans: list[Span]) -> None:
    head = view[start : start + 3]
    if (special := _SPECIAL.get(head)) is not None:
        pattern, before, label = special
        if match := pattern.match(view, max(0, start - before)):
            spans.append((*match.span(), label))
    elif head == b"eyJ":
        _jwt(view, start, spans)
    elif start and view[start - 1] in _GLUE:
        return
    elif broken := _BROKEN.match(view, start):
        spans.append((start, broken.end(), "SECRET"))
    elif (vendor := _BY_START.get(view[start])) and (match := vendor.match(view, start)):
        _vendor(view, match, spans)
    elif (cut := _CUT.match(view, start)) and view[cut.end() : cut.end() + 1] in _ENDS:
        text = cut.group()
        if not _PLACEHOLDER.search(text) and _DIGIT.search(text):
            spans.append((start, cut.end(), "SECRET"))


def _vendor(view: bytes, match: re.Match[bytes], spans: list[Span]) -> None:
    name = VENDORS[int((match.lastgroup or "k0")[1:])][0]
    text = match.group()
    telling = name == "AWS_KEY" or _MANY_DIGITS.match(text)  # AKIAIOSFODNN7EXAMPLE has the form to the letter
    if (_BLANK if telling else _PLACEHOLDER).search(text[:24]) or len(set(text)) < 7:
        return
    if name in ("OPENAI_KEY", "TAVILY_KEY") and not any(0x30 <= c <= 0x39 for c in text):
        return  # ``sk-learn-pipeline-for-everybody``
    if name in MIXED and not (_DIGIT.search(text) and _SMALL.search(text) and _CAPITAL.search(text)):
        return  # ``pa-`` and more of the same kind
    last = match.end()
    if name in ("ANTHROPIC_KEY", "OPENAI_KEY") and (more := _WRAPPED.match(view, last)):
        last = more.end()
    spans.append((match.start(), last, name))


def _jwt(view: bytes, start: int, spans: list[Span]) -> None:
    """``eyJ`` begins every JSON object in Base64: a token when dots follow, else when it decodes to text."""
    if start and view[start - 1] in _GLUE:
        return
    head = _JWT_HEAD.match(view, start)
    if head and (rest := _JWT_REST.match(view, head.end())):
        spans.append((start, rest.end(), "JWT"))
        return
    match = _JSON_HEAD.match(view, start)
    if match is None:
        return
    text = match.group()
    try:
        plain = base64.urlsafe_b64decode(text.replace(b"+", b"-").replace(b"/", b"_")[: len(text) // 4 * 4])
    except ValueError:
        return
    if plain.startswith(b"{") and b'"' in plain and (rest := _JSON_REST.match(view, match.end())):
        spans.append((start, rest.end(), "BASE64_JSON"))


def packed(view: bytes, start: int) -> tuple[int, bytes] | None:
    """Where the Base64 of plain text that begins at *start* ends, and what it says; `None` when it is none."""
    head = _PACKED_HEAD.match(view, start)
    if head is None or any(char not in _FIRST for char in head.group()[::4]) or _unpacked(head.group()) is None:
        return None  # most end here: they must not be read to their end
    match = _PACKED.match(view, start)
    plain = _unpacked(match.group()) if match else None
    return None if match is None or plain is None else (match.end(), plain)


def _unpacked(text: bytes) -> bytes | None:
    """What the Base64 *text* says; `None` when that is no plain text."""
    plain = text.rstrip(b"=").translate(_STANDARD)
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        plain = base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except ValueError:
        return None
    return None if plain.translate(None, _PRINTED) else plain
