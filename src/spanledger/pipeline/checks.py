"""Check digits and known ranges: what tells a card, an account or an address from any other number."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

__all__ = [
    "IBAN_COUNTRIES", "assigned_phone", "base58", "bech32", "bitcoin", "calling_code", "card", "cpf", "date", "iban",
    "iban_size", "ipv4", "itin", "luhn", "mod11_nhs", "nir", "ssn",
]  # fmt: skip

_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def luhn(digits: bytes) -> bool:
    """Whether the last of *digits* (ASCII) is the Luhn check digit of the others."""
    odd = digits[-1::-2]
    even = digits[-2::-2]
    return (sum(odd) - 48 * len(odd) + sum(even.translate(_DOUBLED))) % 10 == 0


def card(digits: bytes) -> bool:
    """Whether *digits* is a payment card number: a known issuer range, its length, Luhn."""
    size = len(digits)
    head = digits[0]
    if head == 0x34:  # Visa
        fits = size in (13, 16, 19)
    elif head == 0x35:  # Mastercard, Maestro
        two = digits[:2]
        fits = size >= 16 and (two in (b"50", b"56", b"57", b"58") or (size == 16 and b"51" <= two <= b"55"))
    elif head == 0x33:  # Amex, Diners, JCB
        two = digits[:2]
        fits = (
            (size == 15 and two in (b"34", b"37"))
            or (size in (14, 16, 19) and (two in (b"36", b"38", b"39") or b"300" <= digits[:3] <= b"305"))
            or (16 <= size <= 19 and b"3528" <= digits[:4] <= b"3589")
        )
    elif head == 0x36:  # Discover, UnionPay, Maestro
        two = digits[:2]
        fits = size >= 16 and (two in (b"60", b"62", b"63", b"64", b"65", b"67"))
    elif head == 0x32:  # Mastercard's second range, Mir
        fits = size == 16 and (b"2221" <= digits[:4] <= b"2720" or b"2200" <= digits[:4] <= b"2204")
    elif head == 0x31:  # UATP
        fits = size == 15
    elif head == 0x38:  # UnionPay, Verve
        fits = size == 16 and digits[:2] == b"81"
    else:
        fits = False
    return fits and luhn(digits) and len(set(digits)) > 1


def ssn(digits: bytes) -> bool:
    """Whether nine *digits* can be a US social security number."""
    return digits[:3] not in (b"000", b"666") and digits[0] != 0x39 and digits[3:5] != b"00" and digits[5:] != b"0000"


def itin(digits: bytes) -> bool:
    """Whether nine *digits* can be a US taxpayer number."""
    group = int(digits[3:5])
    return digits[0] == 0x39 and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


def mod11_nhs(digits: bytes) -> bool:
    """Whether ten *digits* carry the check digit of the British health service."""
    rest = 11 - sum((10 - i) * (d - 48) for i, d in enumerate(digits[:9])) % 11
    return digits[9] - 48 == (0 if rest == 11 else rest) and rest != 10


def nir(digits: bytes) -> bool:
    """Whether fifteen *digits* carry the French key (97 minus the rest)."""
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


def cpf(digits: bytes) -> bool:
    """Whether eleven *digits* carry the two Brazilian check digits."""
    if len(set(digits)) == 1:
        return False
    for size in (9, 10):
        rest = sum((size + 1 - i) * (d - 48) for i, d in enumerate(digits[:size])) * 10 % 11 % 10
        if rest != digits[size] - 48:
            return False
    return True


def ipv4(text: bytes) -> bool:
    """Whether dotted *text* is an IPv4 address."""
    parts = text.split(b".")
    return len(parts) == 4 and all(
        part.isdigit() and len(part) <= 3 and int(part) <= 255 and (part[0] != 0x30 or len(part) == 1) for part in parts
    )


@lru_cache(maxsize=4096)
def calling_code(digits: bytes) -> bool:
    """Whether *digits*, as behind a ``+``, begin with a country's calling code and have a length used there."""
    try:
        import phonenumbers  # noqa: PLC0415 - 40 ms, and only where there is a number
    except ImportError:
        return digits[:1] != b"0"
    try:
        number = phonenumbers.parse(f"+{digits.decode()}")
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(number))


@lru_cache(maxsize=1024)
def assigned_phone(digits: bytes) -> bool:
    """Whether *digits*, as behind a ``+``, are a number that its country gives out, and no shorter or longer one."""
    if not calling_code(digits):
        return False
    try:
        import phonenumbers  # noqa: PLC0415 - as above
    except ImportError:
        return False
    return bool(phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits.decode()}")))


def date(year: int, month: int, day: int) -> bool:
    """Whether this can be a day; *year* may have two digits."""
    return 1 <= month <= 12 and 1 <= day <= 31 and 0 <= year <= 2100


_SIZES: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29"
    " ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20"
    " LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29"
    " PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    " YE30"
)
_IBAN_SIZES: Final = {entry[:2].encode(): int(entry[2:]) for entry in _SIZES.split()}
IBAN_COUNTRIES: Final = frozenset(_IBAN_SIZES)


_VALUES: Final = {char: b"%d" % int(chr(char), 36) for char in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def iban_size(country: bytes) -> int:
    """How many characters an IBAN of *country* has; 0 when it has none."""
    return _IBAN_SIZES.get(country.upper(), 0)


def iban(text: bytes) -> bool:
    """Whether *text*, without separators, is an IBAN: its country's length, check digits."""
    if len(text) != iban_size(text[:2]):
        return False
    try:
        return int(b"".join([_VALUES[char] for char in text[4:] + text[:4]])) % 97 == 1
    except KeyError:
        return False


_BASE58: Final = {c: i for i, c in enumerate(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32: Final = {c: i for i, c in enumerate(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l")}


def bitcoin(text: bytes) -> bool:
    """Whether *text* is a wallet's address."""
    return base58(text, 25)


def base58(text: bytes, size: int) -> bool:
    """Whether *text* is Base58Check of *size* bytes: 25 of an address, 37 or 38 of a private key."""
    number = 0
    for char in text:
        value = _BASE58.get(char)
        if value is None:
            return False
        number = number * 58 + value
    try:
        data = number.to_bytes(size, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bech32(text: bytes) -> bool:
    """Whether *text* is a segwit address, ``bc1...`` or ``tb1...``, with its checksum."""
    text = text.lower()
    prefix, _, rest = text.partition(b"1")
    try:
        values = [_BECH32[c] for c in rest]
    except KeyError:
        return False
    check = 1
    expanded = [c >> 5 for c in prefix] + [0] + [c & 31 for c in prefix]
    for value in expanded + values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                check ^= generator
    return check in (1, 0x2BC830A3)
