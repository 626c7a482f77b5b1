"""
Keys and tokens that tell by their looks who issued them: vendor prefixes, JWT, PEM.

A prefix near the end of a value counts with fewer characters behind it: attribute limits cut before we see the value.
"""

from __future__ import annotations

import base64
import re
from typing import Final, TypeAlias

from .engine import Part

__all__ = ["PACKED", "PARTS", "find", "packed"]

Span: TypeAlias = tuple[int, int, str]

_A: Final = rb"[A-Za-z0-9]"
_W: Final = rb"[A-Za-z0-9_-]"

# name, prefix (for the scan), body
_VENDORS: Final[tuple[tuple[str, bytes, bytes], ...]] = (
    ("ANTHROPIC_KEY", rb"sk-ant-", _W + rb"{16,}"),
    ("OPENROUTER_KEY", rb"sk-or-", _W + rb"{16,}"),
    ("LANGFUSE_KEY", rb"(?:sk|pk)-lf-", rb"[0-9A-Fa-f-]{16,}"),
    ("OPENAI_KEY", rb"sk-", _W + rb"{20,}"),
    ("STRIPE_KEY", rb"(?:sk|rk|pk)_(?:live|test)_", _A + rb"{10,}"),
    ("STRIPE_KEY", rb"whsec_", rb"[A-Za-z0-9+/=]{16,}"),
    ("GITHUB_TOKEN", rb"gh[pousr]_", _A + rb"{20,}"),
    ("GITHUB_TOKEN", rb"github_pat_", rb"[A-Za-z0-9_]{22,}"),
    ("GITLAB_TOKEN", rb"gl(?:pat|ptt|dt|rt|cbt|agent|oas|soat|ft|imt|ffct)-", _W + rb"{16,}"),
    ("GITLAB_TOKEN", rb"GR1348941", _W + rb"{18,}"),
    ("DISCORD_TOKEN", rb"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.", rb"[A-Za-z0-9_-]{27,40}"),
    ("SLACK_TOKEN", rb"xox[abceoprs]-", rb"[A-Za-z0-9-]{10,}"),
    ("SLACK_TOKEN", rb"xapp-", rb"[A-Za-z0-9-]{10,}"),
    (
        "AWS_KEY",
        rb"(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA|AIPA)",
        rb"[A-Z2-7][A-Z0-9]{11,15}(?![A-Za-z0-9])",
    ),
    ("AWS_KEY", rb"ABSK", rb"[A-Za-z0-9+/=]{60,}"),
    ("GOOGLE_KEY", rb"AIza", _W + rb"{30,}"),
    ("GOOGLE_KEY", rb"ya29\.", rb"[A-Za-z0-9_.-]{20,}"),
    ("GOOGLE_KEY", rb"GOCSPX-", _W + rb"{20,}"),
    ("HF_TOKEN", rb"(?:hf|api_org)_", _A + rb"{30,}"),
    ("GROQ_KEY", rb"gsk_", _A + rb"{20,}"),
    ("XAI_KEY", rb"xai-", _A + rb"{20,}"),
    ("PERPLEXITY_KEY", rb"pplx-", _A + rb"{20,}"),
    ("NPM_TOKEN", rb"npm_", _A + rb"{30,}"),
    ("PYPI_TOKEN", rb"pypi-", _W + rb"{30,}"),
    ("DATABRICKS_TOKEN", rb"dapi", rb"[0-9a-f]{32}(?:-[0-9])?"),
    ("DIGITALOCEAN_TOKEN", rb"do[opr]_v1_", rb"[0-9a-f]{32,}"),
    ("SENDGRID_KEY", rb"SG\.", rb"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("TWILIO_KEY", rb"(?:SK|AC)[0-9a-f]{8}", rb"[0-9a-f]{24}(?![0-9A-Za-z])"),
    ("LANGSMITH_KEY", rb"ls(?:v2_(?:pt|sk)|__)_", rb"[0-9A-Za-z_]{20,}"),
    ("MAILGUN_KEY", rb"key-", rb"[0-9a-f]{32}(?![0-9A-Za-z])"),
    ("MAILCHIMP_KEY", rb"[0-9a-f]{32}-us", rb"[0-9]{1,2}(?![0-9A-Za-z])"),
    ("TELEGRAM_TOKEN", rb"(?:bot)?[0-9]{8,10}:A", rb"[A-Za-z0-9_-]{30,36}"),
    ("SQUARE_TOKEN", rb"(?:sq0(?:atp|csp|idp)-|EAAA)", _W + rb"{20,}"),
    ("SHOPIFY_TOKEN", rb"shp(?:at|ca|pa|ss)_", rb"[0-9A-Fa-f]{32}"),
    ("ATLASSIAN_TOKEN", rb"ATATT3", rb"[A-Za-z0-9_=-]{50,}"),
    ("REPLICATE_TOKEN", rb"r8_", _A + rb"{30,}"),
    ("FIREWORKS_KEY", rb"fw_", _A + rb"{20,}"),
    ("TAVILY_KEY", rb"tvly-", _W + rb"{20,}"),
    ("DOPPLER_TOKEN", rb"dp\.(?:pt|st|ct|sa)\.", _A + rb"{30,}"),
    ("LINEAR_KEY", rb"lin_api_", _A + rb"{30,}"),
    ("NOTION_TOKEN", rb"(?:secret_|ntn_)", _A + rb"{40,}"),
    ("POSTMAN_KEY", rb"PMAK-", rb"[0-9a-f-]{40,}"),
    ("VAULT_TOKEN", rb"hv[sbr]\.", _W + rb"{20,}"),
    ("NEW_RELIC_KEY", rb"NRAK-", _A + rb"{20,}"),
    ("GRAFANA_TOKEN", rb"gl(?:c|sa)_", rb"[A-Za-z0-9_+/=]{20,}"),
    ("AGE_KEY", rb"AGE-SECRET-KEY-1", rb"[0-9A-Z]{40,}"),
    ("ARTIFACTORY_KEY", rb"AKCp", _A + rb"{40,}"),
)
_WEBHOOK: Final = rb"https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9_/]{16,}"
_WEBHOOKS: Final = re.compile(
    _WEBHOOK + rb"|https://[a-z0-9-]{0,64}\.?(?:webhook\.office|outlook\.office)\.com/webhook[a-z0-9]{0,4}/[A-Za-z0-9@/_-]{32,}"
    rb"|https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{16,}"
)

ANCHOR: Final = (
    rb"(?:\b|_)(?:" + b"|".join(dict.fromkeys(prefix for _, prefix, _ in _VENDORS)) + rb")"
    rb"[A-Za-z0-9+/_-]|-----BEGIN |eyJ[A-Za-z0-9_-]{8}|https://(?:hooks\.slack|(?:ptb\.|canary\.)?discord|outlook\.office|[a-z0-9-]+\.webhook\.office)"
    rb"|Private-Lines: "
)  # fmt: skip

_STEMS: Final = (
    b"sk- -lf- _live_ _test_ whsec_ gh gl gr1348941 . xox xapp- a3t akia asia aroa aida abia acca agpa anpa aipa"
    b" absk aiza gocspx- hf_ api_org_ gsk_ xai- pplx- npm_ pypi- dapi _v1_ ls key- -us :a sq0 eaaa shp atatt3 r8_"
    b" fw_ tvly- lin_api_ secret_ ntn_ pmak- nrak- age-secret-key-1 akcp -----begin eyj https:// private-lines:"
    b" github_pat_"
).split() + [b"%s%x" % (head, digit) for head in (b"sk", b"ac") for digit in range(16)]
PARTS: Final = (Part(ANCHOR, tuple(_STEMS)),)

_STARTS: Final = {
    rb"(?:sk|pk)-lf-": b"sp", rb"(?:sk|rk|pk)_(?:live|test)_": b"srp",
    rb"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.": b"MNO",
    rb"(?:A3T[A-Z0-9]|AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA|AIPA)": b"A", rb"(?:hf|api_org)_": b"ha",
    rb"(?:SK|AC)[0-9a-f]{8}": b"SA", rb"[0-9a-f]{32}-us": b"0123456789abcdef",
    rb"(?:bot)?[0-9]{8,10}:A": b"b0123456789", rb"(?:sq0(?:atp|csp|idp)-|EAAA)": b"sE", rb"(?:secret_|ntn_)": b"sn",
}  # fmt: skip
"""What those prefixes begin with that do not begin with a letter."""
_LONGEST: Final = 512
"""Characters of a vendor's key."""
_BY_START: Final = {
    start: re.compile(
        b"|".join(
            rb"(?P<k%d>%s%s)" % (i, prefix, body.replace(b",}", b",%d}" % _LONGEST))
            for i, (_, prefix, body) in enumerate(_VENDORS)
            if start in _STARTS.get(prefix, prefix[:1])
        )
    )
    for start in sorted({char for _, prefix, _ in _VENDORS for char in _STARTS.get(prefix, prefix[:1])})
}
"""By the first byte: one pattern of all would try fifty."""
_PREFIXES: Final = b"|".join(dict.fromkeys(prefix for _, prefix, _ in _VENDORS))
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
)
_WRAPPED: Final = re.compile(rb"\\?\r?\n ?(?=[A-Za-z0-9_-]{12,}(?:[\s\"',;\x1f]|$))[A-Za-z0-9_-]{12,}")
_DIGIT: Final = re.compile(rb"[0-9]")
PACKED: Final = rb"\b(?:[A-Za-f][A-Za-z0-9]{3}){5}"
"""How Base64 of plain text begins: the first bit of its bytes is never set."""
_PACKED: Final = re.compile(rb"[A-Za-z0-9+/_-]{20,65536}={0,2}")
_FIRST: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef=")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_PRINTED: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_GLUE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_PLACEHOLDER: Final = re.compile(rb"(?i)x{6,}|\*{3,}|your|example|placeholder|changeme|insert|\.\.\.")


_SPECIAL: Final = {b"---": (_PEM, "PRIVATE_KEY"), b"htt": (_WEBHOOKS, "WEBHOOK"), b"Pri": (_PUTTY, "PRIVATE_KEY")}


def find(view: bytes, start: int, _end: int, spans: list[Span]) -> bool:
    """Add the token that starts at *start*; whether there is one."""
    known = len(spans)
    _find(view, start, spans)
    return len(spans) > known


def _find(view: bytes, start: int, spans: list[Span]) -> None:
    head = view[start : start + 3]
    if (special := _SPECIAL.get(head)) is not None:
        pattern, label = special
        if match := pattern.match(view, start):
            spans.append((start, match.end(), label))
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
    name = _VENDORS[int((match.lastgroup or "k0")[1:])][0]
    text = match.group()
    if _PLACEHOLDER.search(text[:24]) or len(set(text)) < 7:
        return
    if name in ("OPENAI_KEY", "TAVILY_KEY") and not any(0x30 <= c <= 0x39 for c in text):
        return  # ``sk-learn-pipeline-for-everybody``
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
    match = _PACKED.match(view, start)
    if match is None or any(char not in _FIRST for char in match.group()[:256:4]):
        return None
    plain = match.group().rstrip(b"=").translate(_STANDARD)
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        plain = base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except ValueError:
        return None
    return None if plain.translate(None, _PRINTED) else (match.end(), plain)
