"""
Agent-like texts with planted personal data and secrets, and with what only looks like them; made anew from a seed.

Every number is random and has the right check digits; no key was ever issued.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable

Span = tuple[int, int, str]
Text = tuple[str, list[Span]]

ALNUM = string.ascii_letters + string.digits
WORDS = "please check the order again and tell me why refund was not sent to customer since monday status open".split()


def chars(rnd: random.Random, alphabet: str, size: int) -> str:
    return "".join(rnd.choices(alphabet, k=size))


def digits(rnd: random.Random, size: int) -> str:
    return chars(rnd, string.digits, size)


def luhn(body: str) -> str:
    total = 0
    for place, char in enumerate(reversed(body)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def card(rnd: random.Random) -> str:
    number = luhn(rnd.choice(["4", "51", "55", "2221", "6011"]).ljust(4, "3") + digits(rnd, 11))
    return rnd.choice(["{}{}{}{}", "{} {} {} {}", "{}-{}-{}-{}"]).format(*(number[i : i + 4] for i in range(0, 16, 4)))


def iban(rnd: random.Random) -> str:
    country, size = rnd.choice([("DE", 18), ("NL", 14), ("ES", 20), ("AT", 16)])
    body = digits(rnd, size) if country != "NL" else chars(rnd, string.ascii_uppercase, 4) + digits(rnd, 10)
    number = "".join(str(int(char, 36)) for char in body + country + "00")
    whole = f"{country}{98 - int(number) % 97:02d}{body}"
    return whole if rnd.random() < 0.5 else " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))


def ssn(rnd: random.Random) -> str:
    return f"{rnd.randint(1, 665):03d}-{rnd.randint(1, 99):02d}-{rnd.randint(1, 9999):04d}"


def mail(rnd: random.Random) -> str:
    name = chars(rnd, string.ascii_lowercase, rnd.randint(3, 9))
    return f"{name}{rnd.choice(['', '.x', '+news', '_1'])}@{chars(rnd, string.ascii_lowercase, 7)}.{rnd.choice(['com', 'co.uk', 'io', 'museum'])}"


def ip(rnd: random.Random) -> str:
    if rnd.random() < 0.3:
        return "2a02:" + ":".join(f"{rnd.randint(1, 65535):x}" for _ in range(7))
    return f"{rnd.randint(11, 126)}.{rnd.randint(0, 255)}.{rnd.randint(0, 255)}.{rnd.randint(1, 254)}"


def phone(rnd: random.Random) -> str:
    area, rest = f"{rnd.randint(2, 9)}{digits(rnd, 2)}".replace("11", "12"), f"{rnd.randint(2, 9)}{digits(rnd, 2)}"
    last = digits(rnd, 4)
    return rnd.choice(
        [
            f"+1 {area} {rest} {last}",
            f"({area}) {rest}-{last}",
            f"+49 30 {digits(rnd, 7)}",
            f"+44 20 {digits(rnd, 4)} {last}",
        ]
    )


KINDS: dict[str, Callable[[random.Random], str]] = {
    "EMAIL": mail,
    "CARD": card,
    "IBAN": iban,
    "SSN": ssn,
    "IP": ip,
    "PHONE": phone,
    "OPENAI_KEY": lambda r: "sk-proj-" + chars(r, ALNUM + "_-", 40) + "1",
    "ANTHROPIC_KEY": lambda r: "sk-ant-api03-" + chars(r, ALNUM + "_-", 80) + "AA",
    "GITHUB_TOKEN": lambda r: "ghp_" + chars(r, ALNUM, 36),
    "AWS_KEY": lambda r: "AKIA" + chars(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "JWT": lambda r: f"eyJhbGciOiJIUzI1NiJ9.eyJ{chars(r, ALNUM, 30)}.{chars(r, ALNUM, 43)}",
    "MAC": lambda r: ":".join(f"{r.randint(1, 254):02x}" for _ in range(6)),
    "CRYPTO": lambda r: "0x" + chars(r, "0123456789abcdef", 40),
}
NAMED: dict[str, tuple[tuple[str, ...], Callable[[random.Random], str]]] = {
    "SECRET": (
        ("password", "api_key", "client_secret", "refreshToken", "DB_PASSWORD"),
        lambda r: chars(r, ALNUM, 18) + "7x",
    ),
    "PASSPORT": (("passport", "passport_number"), lambda r: chars(r, string.ascii_uppercase, 1) + digits(r, 8)),
    "LICENSE": (("driver_license", "driving_licence_no"), lambda r: chars(r, string.ascii_uppercase, 1) + digits(r, 8)),
    "BIRTH_DATE": (
        ("date_of_birth", "dob"),
        lambda r: f"{r.randint(1930, 2005)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}",
    ),
    "BANK_ACCOUNT": (("account_number", "bank_account"), lambda r: digits(r, 10)),
}
HARMLESS: tuple[Callable[[random.Random], str], ...] = (
    lambda r: (
        f"2026-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:01.{digits(r, 3)}Z"
    ),
    lambda r: "-".join(chars(r, "0123456789abcdef", n) for n in (8, 4, 4, 4, 12)),
    lambda r: chars(r, "0123456789abcdef", r.choice([7, 16, 32, 40, 64])),
    lambda r: f"v{r.randint(0, 20)}.{r.randint(0, 20)}.{r.randint(0, 20)}",
    lambda r: f"{r.randint(1, 20)}.{r.randint(0, 20)}.{r.randint(0, 20)}.{r.randint(0, 99)}-beta",
    lambda r: f"@{chars(r, string.ascii_lowercase, 5)}/{chars(r, string.ascii_lowercase, 5)}@{r.randint(1, 9)}.2.0",
    lambda r: f"{chars(r, string.ascii_lowercase, 5)}@2x.png",
    lambda r: f"17{digits(r, 8)}",
    lambda r: f"[{r.uniform(-1, 1):.8f}, {r.uniform(-1, 1):.8f}, {r.uniform(-1, 1):.8f}]",
    lambda r: f"arn:aws:lambda:eu-west-1:{digits(r, 12)}:function:{chars(r, string.ascii_lowercase, 6)}",
    lambda r: f"1.3.6.1.4.1.{r.randint(1, 999)}.{r.randint(1, 999)}",
    lambda r: f"${r.randint(1, 9999)},{digits(r, 3)}.{digits(r, 2)}",
    lambda r: f"max_tokens={r.randint(100, 9999)}",
    lambda r: "call_" + chars(r, ALNUM, 24),
    lambda r: f"PO-{digits(r, 4)}-{digits(r, 6)}",
    lambda _: "password=********",
    lambda r: f"#{chars(r, '0123456789abcdef', 6)}",
)


def _line(rnd: random.Random, build: list[str], spans: list[Span], planted: float) -> None:
    """One line of a log, a chat or a program, with something in it."""

    def add(text: str, label: str | None = None) -> None:
        start = sum(map(len, build))
        build.append(text)
        if label is not None:
            spans.append((start, start + len(text), label))

    add(rnd.choice(["2026-03-02 10:38:32,123 INFO tool took ", "user says: ", "level=warn msg=retry ", "| note | "]))
    add(" ".join(rnd.choices(WORDS, k=rnd.randint(3, 9))) + " ")
    chance = rnd.random()
    if chance >= planted:
        add(rnd.choice(HARMLESS)(rnd))
    elif chance < planted * 0.6:
        label = rnd.choice(list(KINDS))
        add(rnd.choice(["", "id=", "value: ", "(", '"']))
        add(KINDS[label](rnd), label)
        add(rnd.choice(["", ".", ",", ")", '"']) if build[-2] not in ("(", '"') else {"(": ")", '"': '"'}[build[-2]])
    else:
        label = rnd.choice(list(NAMED))
        names, make = NAMED[label]
        form = rnd.choice([("{}=", ""), ('"{}": "', '"'), ("{}: ", ""), ("{}='", "'")])
        add(form[0].format(rnd.choice(names)))
        add(make(rnd), label)
        add(form[1])
    add(rnd.choice([" ", "\n", " and ", "; "]) + rnd.choice(HARMLESS)(rnd) + "\n")


def texts(seed: int, count: int = 600) -> list[Text]:
    """*count* texts, a third of them without anything to find."""
    rnd = random.Random(seed)
    made: list[Text] = []
    for index in range(count):
        build: list[str] = []
        spans: list[Span] = []
        for _ in range(rnd.randint(1, 5)):
            _line(rnd, build, spans, 0.0 if index % 3 == 0 else 0.8)
        made.append(("".join(build), spans))
    return made


def messages(seed: int, size: int) -> str:
    """About *size* characters of chat messages as JSON, nothing in them."""
    rnd = random.Random(seed)
    found: list[dict[str, object]] = []
    while len(json.dumps(found)) < size:
        text = " ".join(rnd.choices(WORDS, k=120))
        found.append({"role": "user", "parts": [{"type": "text", "content": text}]})
    return json.dumps(found)


FLOODS = {
    "a": "a", "1": "1", "1 ": "1 ", "1.": "1.", "4-": "4-", "+": "+", "(": "(", ":": ":", "a:": "a:", "@": "@", "a@": "a@",
    "a@a.": "a@a.", "-": "-", "hex": "deadbeef", "password=": "password=", 'password="': 'password="', '"': '"',
    "\\": "\\", "://": "://", "://a:": "://a:", "eyJ": "eyJ", "sk-a": "sk-a", "PEM": "-----BEGIN RSA PRIVATE KEY-----",
    "%41": "%41", "\\u0041": "\\u0041", "cookie: a=b; ": "cookie: a=b; ", ") VALUES (": ") VALUES (", "GB29 ": "GB29 ",
    "4111 ": "4111 ", "[": "[", '{"a":': '{"a":', "zero-width": "\u200b", "4 zero-width": "4\u200b", "cjk": "\u65e5",
    "&#65;": "&#65;", "a[at]": "a[at]", "token is ": "token is ", "Bearer a1": "Bearer a1", "data:": "data:a/a;base64,",
    "ghp_": "ghp_", "key-": "key-", "hf_a-": "hf_a-", "sk--": "sk--", "eyJ-": "eyJhbGciOiJI-", "eyJ.": "eyJhbGciOiJI.",
    "\\n": "\\n", "%2541": "%2541", "=41": "=41", "a + accent": "a\u0301", "full width": "\uff14\uff11\uff11\uff11 ",
    "cjk password": "\u5bc6\u7801", "cjk password a1": "\u5bc6\u7801\u662fa1 ", "DE89 3704 ": "DE89 3704 ", "4-1-1-1-": "4-1-1-1-",
    "pin: 1 ": "pin: 1 ", "dob ": "dob ", "sig=a&": "sig=a&", "X-Amz-Signature=a&": "X-Amz-Signature=a&", "SG.": "SG.",
    "Cookie: a=b; c=d\n": "Cookie: a=b; c=d\n", "name, value": "name: password\nvalue: ", "nested": '{"a":"{\\"a\\":\\"',
    "e-mails": "a@b.co ", "cards": "4111 1111 1111 1111 ", "IPv6": "fe80::1 ", "private lines": "Private-Lines: 1\n",
    "Base64 beginnings": "pa-aaaaaaaaaaaaaaaaaaaaaaaa", "heads of tables": "a,password,cccccccccccccccccc\n",
    "secrets, spaced": "the client_secret, see below, ", "wallets": "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf ",
}  # fmt: skip


def floods(size: int = 64_000) -> dict[str, str]:
    """Texts that are one thing over and over: what makes a careless pattern hang."""
    return {name: (piece * (size // len(piece) + 1))[:size] for name, piece in FLOODS.items()}
