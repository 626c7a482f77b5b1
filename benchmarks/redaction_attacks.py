"""Texts written to slip through, made anew from a seed: other scripts, unseen characters, splits, encodings, names, forms."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from urllib.parse import quote

from redaction_texts import ALNUM, HARMLESS, card, chars, mail, ssn

Attack = tuple[str, str, str]
"""Class, text, and what must not survive of it; nothing where the text must stay as it is."""

DIGITS = {"arabic": 0x660, "persian": 0x6F0, "devanagari": 0x966, "bengali": 0x9E6, "thai": 0xE50, "full width": 0xFF10,
          "bold": 0x1D7CE, "double": 0x1D7D8, "sans": 0x1D7E2, "mono": 0x1D7F6}  # fmt: skip
LETTERS = {"bold": 0x1D41A, "sans": 0x1D5BA, "mono": 0x1D68A, "full": 0xFF41}
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202e\u2066\u034f\u061c\u115f\u3164\u17b4\ufe0f\u20e3"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2043\uff0d\u2212\u207b\u30fc"
SPACES = "\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\u205f\u3000"
GAPS = ("\n", " \n", "\r\n", "\t", "  ", " - ", "-\n", " / ", "_", "/", ".", "+", '"+"', "\u2028")
FRAMES = ("x{}", "{}x", "id={}", "_{}_", "[{}]", "({})", "**{}**", "`{}`", "\u4ed8{}\u8bf7", "\\n{}", "No{}.", '"{}",')
ENCODINGS: dict[str, Callable[[str], str]] = {
    "percent": lambda text: "".join(f"%{ord(char):02X}" for char in text),
    "percent twice": lambda text: "".join(f"%25{ord(char):02X}" for char in text),
    "percent thrice": lambda text: quote(quote(quote(text, safe=""), safe=""), safe="").replace("@", "%252540"),
    "unicode": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "unicode twice": lambda text: "".join(f"\\\\u{ord(char):04x}" for char in text),
    "braces": lambda text: "".join(f"\\u{{{ord(char):x}}}" for char in text),
    "hex": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "octal": lambda text: "".join(f"\\{ord(char):03o}" for char in text),
    "decimal": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "entity twice": lambda text: "".join(f"&amp;#{ord(char)};" for char in text),
    "printable": lambda text: "".join(f"={ord(char):02X}" for char in text),
    "base64": lambda text: base64.b64encode(f"please tell {text} of it".encode()).decode(),
}
NAMES = (
    "password passwd pwd passphrase client_secret secretKey api_key x-api-key accessToken refresh_token id_token auth csrf_token"
    " authorization cookie session credentials private_key ssh_key signing_key connection_string otp security_code recovery_code"
    " AWS_SECRET_ACCESS_KEY GITHUB_TOKEN OPENAI_KEY STRIPE_SECRET DB_PASS jwt_secret seed_phrase contrase\u00f1a mot_de_passe senha"
    " passwort wachtwoord has\u0142o l\u00f6senord \u043f\u0430\u0440\u043e\u043b\u044c \u5bc6\u7801 \u30d1\u30b9\u30ef\u30fc\u30c9"
).split()
FORMS = (
    "--password {} -h db", "mysql -uroot -p{} db", "curl -u admin:{} https://x", "sshpass -p {} ssh h", "export API_TOKEN={}",
    "docker run -e MYSQL_ROOT_PASSWORD={} mysql", "redis-cli -a {} ping", "password:\n  {}", "password: |\n  {}",
    "- name: DB_PASSWORD\n  value: {}", 'password = """{}"""', "password => '{}'", "<password>{}</password>",
    '<add key="ApiKey" value="{}"/>', '<property name="password">{}</property>', 'login(user="a", password="{}")',
    'os.environ["DB_PASSWORD"] = "{}"', 'conn.setPassword("{}");', 'let token: string = "{}"', 'define("DB_PASSWORD", "{}");',
    "headers={{'Authorization': 'Token {}'}}", '{{"name":"Authorization","value":"Bearer {}"}}', "[('X-Api-Key', '{}')]",
    "Authorization: Bearer {}", "Cookie: a={}; b=2", "machine h login bob password {}", "//r/:_authToken={}",
    "Server=x;Database=y;User Id=a;Pwd={};", "the password is {}", "use password {} to log in", "Passwort lautet {}",
    "https://bob:{}@host/x", "postgres://a:p@{}@db/x", "https://x/?access_token={}", "https://x/#access_token={}&t=1",
    "https://x/?sig={}", "password%3D{}", "&quot;password&quot;:&quot;{}&quot;", '{{"password": "{}', "password='{}",
)  # fmt: skip


def attacks(seed: int) -> Iterator[Attack]:
    """All of them, with values of this *seed*."""
    rnd = random.Random(seed)
    yield from scripts(rnd)
    yield from shapes(rnd)
    yield from names(rnd)
    for make in HARMLESS:
        for _ in range(6):
            yield "harmless", f"see {make(rnd)} there", ""


def number(rnd: random.Random) -> str:
    """A card's digits."""
    return card(rnd).replace(" ", "").replace("-", "")


def scripts(rnd: random.Random) -> Iterator[Attack]:
    """Digits, letters and dashes of other scripts, and characters that nobody sees."""
    for name, base in DIGITS.items():
        for text in (number(rnd), ssn(rnd)):
            new = "".join(chr(base + int(char)) if char.isdigit() else char for char in text)
            yield f"digits, {name}", f"it is {new}", new[-4:]
    for name, lower in LETTERS.items():
        new = "".join(chr(lower + ord(char) - 97) for char in chars(rnd, "abcdefghijkm", 9))
        yield f"letters, {name}", f"to {new}@{new}.com", new[2:]
    for unseen in UNSEEN:
        for text in (number(rnd), mail(rnd), ssn(rnd), "ghp_" + chars(rnd, ALNUM, 36)):
            yield "unseen", f"it is {unseen.join(text)}", unseen.join(text[-5:])
    for dash in DASHES:
        text = ssn(rnd).replace("-", dash)
        yield "dashes", f"ssn {text}", text[-4:]


def shapes(rnd: random.Random) -> Iterator[Attack]:
    """Splits, frames and encodings."""
    for gap in (*SPACES, *GAPS):
        text = number(rnd)
        yield "splits", f"card {gap.join(text[i : i + 4] for i in (0, 4, 8, 12))}", text[4:8]
    for frame in FRAMES:
        glued = frame in ("x{}", "{}x", "No{}.")
        for text in (number(rnd),) if glued else (number(rnd), mail(rnd)):
            yield "frames", frame.format(text), text
    for encode in ENCODINGS.values():
        for text in (number(rnd), mail(rnd), ssn(rnd)):
            new = encode(text)
            yield "encodings", f"see {new} there", new[len(new) // 2 :][:8]


def names(rnd: random.Random) -> Iterator[Attack]:
    """What a name gives away, in every form."""
    for name in NAMES:
        value = chars(rnd, ALNUM, 11) + rnd.choice("0123456789")
        value = "482915" if "otp" in name or "code" in name else value
        yield "names", json.dumps({name: value}, ensure_ascii=False), value
        yield "names", f"{name}={value}", value
    for form in FORMS:
        value = "K" + chars(rnd, ALNUM, 12) + "q7"
        yield "forms", form.format(value), value
