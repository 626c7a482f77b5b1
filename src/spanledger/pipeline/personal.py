"""
Personal data that its name gives away: ``"passport": "..."``, "my SSN is ...", "or call 030 1234567".

The name alone is not enough in free text: what follows must have the shape of its kind.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from . import checks, numbers
from .fold import fold
from .keys import STRICT
from .values import is_placeholder

__all__ = [
    "FOREIGN_FRAGMENTS", "FRAGMENTS", "STEMS", "TOLD", "VERB", "find", "find_told", "fits", "goes_whole", "label_of",
]  # fmt: skip

Span: TypeAlias = tuple[int, int, str]

_VERBS: Final = (
    r"\b(?:tel|fax|cell|call|ring|whatsapp|callback|handy|puhelin|mobil|ligue|appelez|rufen|volejte|llama|llamar|llame"
    r"|chiama|chiamare|zadzwon|dzwon|bel)\b"
)
_NAMES: Final[dict[str, str]] = {
    "PHONE": (
        r"phone|mobile|telefon|msisdn|telefo|\bsunati la|\byazin veya|\barayin|\bcelular\b|\bmovil\b|\bcellulare\b"
        r"|telepon|\b(?:meine? nummer|mi numero|mon numero|mio numero|meu numero|mijn nummer|mit nummer|mitt nummer)\b"
        r"|\bmy (?:(?:home|work|office|direct|contact|private|us|uk|cn|eu|new) )?number is\b"
    ),
    "SSN": r"\bssns?|social.?security|\btax.?id",
    "ITIN": r"\bitin",
    "PASSPORT": r"passport|\bpasaporte|\bpasseport|reisepass|travel.?document",
    "LICENSE": r"driver.?s?.?licen|driving.?licen|fuhrerschein",
    "BIRTH_DATE": (
        r"birth|\bborn\b|\bdob\b|\bd\.o\.b\b|geburtsdatum|\bgeboren\b|nacimiento|\bnacid[oa]\b|naissance"
        r"|nascita|nascimento|\bnascid[oa]\b|geboortedatum|\burodz(?:on[ya]|enia)\b|fodsels?dato|fodelsedatum"
        r"|\bdogum tarihi|narozeni"
    ),
    "BORN": r"\bgeburtstag\b|\bnee? (?:le|en)\b|\bnat[oa] il\b|\bgeb\.|\bfod[td]\b",
    "BANK_ACCOUNT": r"bank.?account|account.?n(?:umber|o)\b|routing.?number",
    "NHS": r"\bnhs",
    "NATIONAL_ID": (
        r"kimlik|\bpesel|\bnino\b|\b(?:tfn|sin|cpf|dni|nif|nie|pan|bsn|nir)\b|aadha|national.?id|national.insurance"
        r"|personnummer|henkilotunnus|codice.fiscale|taxpayer.?id|\bsteuer.?id|\bidnr\b|sozialversicherung"
        r"|securite.sociale|\bsecu\b|\bcnpj\b|\bni.number"
    ),
    "CARD": r"\b(?:card|carte|karte|tarjeta|cc)\b|card.?n(?:umber|o)\b",
}
_FOREIGN: Final = {
    "PHONE": (
        "позвоните|дзвоніть|телефон|звоните|拨打|致电|電話|电话|התקשרו|טלפון|लिखें या|फ़ोन|καλέστε|τηλέφωνο|전화|連絡先"
        "|주시거나|اتصل|هاتف|موبايل|تلفن|телефонуйте|обадете|撥打|โทร"
    ),
    "BIRTH_DATE": "рождения|народження|生年月日|出生|생년월일|לידה|γέννησης",
    "CARD": "卡号|カード",
}
_CAPITAL: Final = {
    label: "|".join({form: None for word in words.split("|") for form in (word, word.capitalize(), word.upper())})
    for label, words in _FOREIGN.items()
}
"""The same, also where they begin a sentence."""
_ID: Final = rb"(?![0-9A-Za-z])"
_SHAPES: Final[dict[str, re.Pattern[bytes]]] = {
    label: re.compile(pattern)
    for label, pattern in {
        "PHONE": rb"[+(]{0,2}[0-9][0-9 ()./+-]{5,22}[0-9](?: ?(?:x|ext\.?) ?[0-9]{1,6})?" + _ID,
        "SSN": rb"[0-9]{3}[\s./_+-]{0,3}[0-9]{2}[\s./_+-]{0,3}(?:[0-9]{4}" + _ID + rb"|[0-9]{2,3}(?=[\x1f\"]|$))",
        "ITIN": rb"9[0-9]{2}[ .-]?[0-9]{2}[ .-]?[0-9]{4}" + _ID,
        "PASSPORT": rb"[A-Z]{0,3}[0-9]{5,9}[A-Z]?[0-9]{0,4}" + _ID + rb"|(?=(?:[A-Z]*[0-9]){3})[0-9A-Z]{8,9}" + _ID,
        "LICENSE": rb"[A-Z]{0,5}[0-9][0-9A-Z*-]{3,18}" + _ID,
        "BIRTH_DATE": (
            rb"[0-9]{1,4}(?:[./-] ?| )[0-9]{1,2}(?:[./-] ?| )[0-9]{1,4}" + _ID + rb"|[0-9]{8}(?![0-9])"
            rb"|[0-9]{1,2}\.? ?(?:st|nd|rd|th|de)?(?: of)? ?[A-Za-z\x80-\xbd]{3,10}\.?,? (?:de )?[0-9]{4}"
            rb"|[0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{2,4}" + _ID + rb"|[0-9]{4}[\xc0-\xff] ?[0-9]{1,2}[\xc0-\xff] ?[0-9]{1,2}"
            rb"|[A-Za-z]{3,9}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}"
        ),
        "BANK_ACCOUNT": rb"[0-9][0-9 -]{4,22}[0-9]" + _ID,
        "NHS": rb"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}" + _ID,
        "NATIONAL_ID": (
            rb"[0-9]{2,3}[ .-]?[0-9]{3}[ .-]?[0-9]{3}(?:[ .-]?[0-9]{1,3})?" + _ID
            + rb"|[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3}(?: ?[0-9]{2})?" + _ID
            + rb"|[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}/?[0-9]{4}-?[0-9]{2}" + _ID
            + rb"|[0-9]{2} ?[0-9]{6} ?[A-Z] ?[0-9]{3}" + _ID
            + rb"|[0-9]{4}(?:[ -][0-9]{4}){2}" + _ID
            + rb"|[A-Z]{1,5} ?[0-9]{4,9} ?[0-9A-Z]?\b|[0-9]{6}[-+ ]?[0-9]{3,5}[A-Z]?" + _ID
        ),
        "CARD": rb"[0-9](?:[\s._/+-]{0,3}[0-9]){11,18}" + _ID,
        "MAC": rb"[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){5}" + _ID,
        "ADDRESS": (
            rb"(?=[^\x1f]{0,256}[A-Za-z\x80-\xfe]{2})(?=[^\x1f]{0,256} )(?=[^\x1f]{0,256}(?:[0-9,\n]"
            rb"|(?i:street|road|avenue|lane|drive|stra(?:ss|s)e|\brue\b|\bvia\b|calle|platz|\bweg\b|boulevard|blvd)))"
            rb"[^\x1f]{6,512}"
        ),
    }.items()
}  # fmt: skip
_GAP: Final = re.compile(
    rb"(?:[A-Za-z_.]{0,24}[\"'\\\])]{0,6}[ \t]{0,3}(?:(?i:number|no|num|nr|id|code)\b[.:]?)?[\"'\\\])]{0,6}[ \t]{0,3}"
    rb"(?:=>|[:=|#]|(?i:est le|is|was|are|to|es|est|ist|on|at"
    rb"|(?:us|me|her|him|them|back) (?:at|on)|la|le|al|an|o|e|sie|the number)\b)?"
    rb"[ \t:]{0,3}[\"'\\(\[]{0,6}(?:\*\* ?)?|[^\x00-\x7f ]{0,4}[ :]{0,2})"
)
_GAP_ABROAD: Final = re.compile(rb"(?:[ :]{0,2}[A-Za-z\x80-\xff]{1,8}){0,2}[ :]{0,2}")
_WORDS_BETWEEN: Final = re.compile(rb"[^0-9\n\x1f,;{}=|[]{0,24}")
_FAR: Final = frozenset({"PASSPORT", "LICENSE", "SSN", "NHS", "BIRTH_DATE", "NATIONAL_ID"})
_LETTERED_START: Final = re.compile(rb"[A-Z]{1,5}$")

FRAGMENTS: Final = (
    fold(_VERBS)
    + rb"[^0-9\n\x1f]{0,16}[0-9+(]|\b(?:tel|cell|fax|whatsapp|callback)[\"`*]{0,2} {0,12}\r?[|;,\t\n]|"
    + b"|".join(fold(pattern) for pattern in _NAMES.values())
)
"""What the scan stops at, in any case: names, and verbs with a number behind them."""
FOREIGN_FRAGMENTS: Final = b"|".join(fold(pattern) for pattern in _CAPITAL.values())
STEMS: Final = (
    *(
        b"tel fax cell call ring whatsapp handy puhelin mobil ligue appelez rufen volejte llam chiama zwon bel phone"
        b" msisdn arayin ssn social tax itin pass pasaporte reisepass document licen fuhrerschein birth born dob"
        b" geburtsdatum nacimiento naissance nascita nascimento account routing nhs kimlik pesel nino tfn sin cpf dni"
        b" nif nie pan bsn nir aadha national personnummer henkilotunnus codice card carte karte tarjeta cc"
    ).split(),
    b"celular", b"movil", b"cellulare", b"telepon", b" nummer", b" numero", b"d.o.b", b"geburtstag", b"geboren",
    b"nacid", b"nascid", b"geboortedatum", b"urodz", b"fods", b"fodelse", b"dogum", b"narozeni", b"ne le", b"ne en",
    b"nee le", b"nee en", b"nato il", b"nata il", b"geb.", b"fodt", b"fodd", b"steuer", b"idnr", b"sozial", b"securite",
    b"secu", b"cnpj", b"ni number", b"ni.number", b"ni_number", b"ni-number", b"passe",
    b"sunati la", b"yazin veya", b"number is", *FOREIGN_FRAGMENTS.lower().split(b"|"),
)  # fmt: skip
"""Of these one stands in each of them."""
TOLD: Final = re.compile(
    rb"\b(?:unter|al|au|op|pod|pa|na|til|para|numeroon|at|on|no)[ :]{1,2}\(?[0-9][0-9 ()./-]{5}", re.IGNORECASE
)
"""A number, and what stands between it and who is called: ``call Ann at 0171 ...``."""
_LEAD: Final = re.compile(rb"[A-Za-z]{1,9}[ :]{1,2}")
_CALLING: Final = frozenset(
    b"call ring phone dial reach contact ruf rufe rufen anrufen erreiche erreichen erreichbar appelez appelle appeler"
    b" joindre joignez contactez llama llame llamo llamar llamame llameme llamadme contacte marque chiama chiami chiamo"
    b" chiamare chiamami chiamimi chiamatemi telefoni ligue liga ligar bel bellen zadzwon dzwon ringa volajte zavolejte"
    b" volejte hivjon soita hubungi zvaniet".split()
)
_STOPPING: Final = b'.!?\n\x1f0123456789;:={}()<>"'
_WORDED: Final = bytes(
    0x0A if char in _STOPPING else char if bytes((char,)).isalpha() or char >= 0x80 else 0x20 for char in range(256)
)
"""Ends of what is said become ends of lines, other signs spaces."""
_CALLED: Final = re.compile(rb"\(|0(?:0[1-9]|[1-9 (-])|(?!1[0-9]{9}(?![0-9]))[1-9][0-9 ()./-]{7,}[0-9]")
"""No count, no offset and no moment in time."""
_DAY: Final = re.compile(
    rb"(?:(?:19|20)[0-9]{2}[./-][01]?[0-9][./-][0-3]?[0-9]|[0-3]?[0-9][./-][0-3]?[0-9][./-](?:19|20)[0-9]{2})(?![0-9])"
)
_BEFORE: Final = 64
VERB: Final = re.compile(fold(_VERBS), re.IGNORECASE)

_BY_LABEL: Final = [
    ("PHONE", VERB),
    *((label, re.compile(fold(pattern), re.IGNORECASE)) for label, pattern in _NAMES.items()),
    *((label, re.compile(fold(pattern), re.IGNORECASE)) for label, pattern in _CAPITAL.items()),
]
_HASHED: Final = re.compile(r"hmac-sha256:[0-9a-z-]{8,16}:[0-9a-f]{32}")
"""One of our own hashes."""
_labels: dict[bytes, str | None] = {}


def label_of(fragment: bytes) -> str | None:
    """The label that the name *fragment*, found by the scan, stands for."""
    if fragment not in _labels:
        found = next((label for label, pattern in _BY_LABEL if pattern.search(fragment)), None)
        if len(_labels) > 1024:
            return found
        _labels[fragment] = found
    return _labels[fragment]


def find(view: bytes, at: int, label: str, spans: list[Span]) -> None:
    """Add the value behind the name that ends at *at*, when it has the shape of *label*."""
    near = label == "BORN"
    if near:
        label = "BIRTH_DATE"
    shape = _SHAPES[label]
    gap = _GAP.match(view, at)
    match = shape.match(view, gap.end()) if gap else None
    if match is None and view[at - 1] >= 0x80 and (gap := _GAP_ABROAD.match(view, at)):
        match = shape.match(view, gap.end())
    if match is None and label in _FAR and not near:
        match = _farther(view, at, shape)
    if match is None:
        return
    if label == "PHONE" and (card := numbers.card_in(view, match.start(), match.end())) is not None:
        spans.append(card)
        match = shape.match(view, match.start(), card[0])
        if match is None:
            return
    if label == "PHONE" and _DAY.match(view, match.start()):
        return
    at_end = view[match.end() : match.end() + 1] in (b"", b"\x1f", b'"')
    if _plausible(label, match.group(), at_end=at_end):
        if label == "SSN" and checks.itin(match.group().translate(None, b" ./_+\r\n\t-").ljust(9, b"0")):
            label = "ITIN"
        spans.append((match.start(), match.end(), label))


def find_told(view: bytes, start: int, spans: list[Span]) -> int:
    """Add the number of whom a verb says to call, ``call Ann at ...``, *start* is ``at``; where the scan goes on."""
    lead = _LEAD.match(view, start)
    if lead is None or not TOLD.match(view, start):
        return 0
    begin = lead.end()
    if not _CALLED.match(view, begin):
        return begin
    before = view[max(0, start - _BEFORE) : start].lower().translate(_WORDED).rpartition(b"\n")[2]
    if not _CALLING.isdisjoint(before.split()):
        find(view, begin, "PHONE", spans)
    return begin


def _farther(view: bytes, at: int, shape: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """``passport number is, as I said, 912803456``: the first number within a few words."""
    between = _WORDS_BETWEEN.match(view, at)
    if between is None:
        return None
    start = between.end()
    if letters := _LETTERED_START.search(view, between.start(), start):
        start = letters.start()
    return shape.match(view, start)


def _plausible(label: str, text: bytes, *, at_end: bool) -> bool:
    digits = bytes(c for c in text if 0x30 <= c <= 0x39)
    if label == "CARD":  # the last digit may be cut off by an attribute limit
        return checks.luhn(digits) or (at_end and digits[:1] in b"3456" and 13 <= len(digits) <= 15)
    if label == "PHONE":
        return 7 <= len(digits) <= 15 and text.count(b".") < 3
    return True


def fits(label: str, view: bytes) -> bool:
    """Whether the whole *view* has the shape of *label*."""
    shape = _SHAPES.get(label)
    return shape is not None and shape.fullmatch(view.strip()) is not None and _plausible(label, view, at_end=False)


def goes_whole(text: str, label: str) -> bool:
    """Whether *text* goes because its key has *label*, whatever else it says."""
    if not text or _HASHED.fullmatch(text) or is_placeholder(text.encode("utf-8", "replace")):
        return False
    if label == "SECRET" and (("://" in text and "@" in text) or (";" in text and "=" in text)):
        return False  # a connection string: its password has a name of its own
    return label in STRICT or fits(label, fold(text))
