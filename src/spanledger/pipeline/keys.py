"""
What a key says about its value: a secret, a kind of personal data, or nothing.

One classifier for attribute keys, JSON keys, query parameters, headers and the names left of ``=`` in free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .fold import fold

__all__ = ["LOOSE", "STRICT", "Keys"]

_WORDS: Final = re.compile(rb"[A-Z]+(?![a-z\x80-\xfe])|[A-Z]?[a-z\x80-\xfe]+")

_SECRET_WORDS: Final = frozenset(
    b"password passwd pwd passphrase passcode passwort contrasena senha secret secrets credential credentials"
    b" authorization cookie cookies apikey privatekey secretkey accesskey authtoken accesstoken csrf xsrf jwt bearer"
    b" otp totp cvv cvc cvv2 accountkey sharedaccesskey dsn pw userpassword mysqlpwd sessionid jsessionid"
    b" phpsessid".split()
)
_SECRET_LAST: Final = frozenset(b"token auth pass pin session signature sig sid code_verifier".split())
_SECRET_ENDS: Final = (
    b"connectionstring", b"token", b"password", b"passwd", b"apikey", b"secretkey", b"accesskey", b"privatekey",
)  # fmt: skip
_KEY_KINDS: Final = frozenset(
    b"api access secret private signing encryption account shared master client storage subscription service admin app"
    b" license deploy auth crypto hmac ssh".split()
)
_HARMLESS: Final = frozenset(
    b"count counts counter limit limits max min total totals type types length len size usage budget policy expires"
    b" expiry expiration expire ttl bucket rate per cost price name names arn version url uri endpoint path file"
    b" method mode scheme strategy consent required require requires enabled disabled provider has is num number_of"
    b" strength rotation status valid source hint reset change index prefix suffix estimate estimated remaining"
    b" duration format schema position offset ids manager store id".split()
)
_PERSONAL: Final = {
    "EMAIL": "email emails emailaddress useremail mailaddress courriel",
    "PHONE": (
        "phone phones phonenumber phoneno mobile mobilephone cellphone telephone telefon telefone telefono tel fax"
        " msisdn whatsapp homephone workphone callback handynummer"
    ),
    "SSN": "ssn socialsecurity socialsecuritynumber socialsecurityno taxid taxpayerid",
    "ITIN": "itin taxpayeritin",
    "PASSPORT": "passport passportnumber passportno passportnum",
    "LICENSE": (
        "driverlicense driverslicense driverlicence driverslicence drivinglicense drivinglicence driverlicensenumber"
        " driverslicensenumber drivinglicenceno drivinglicenseno drivinglicencenumber driverlicenseno dlnumber"
    ),
    "BIRTH_DATE": (
        "dob birthdate dateofbirth birthday geburtsdatum fechadenacimiento datedenaissance datadinascita"
        " datadenascimento geboortedatum"
    ),
    "IBAN": "iban payoutiban ibannumber",
    "CARD": "creditcard creditcardnumber cardnumber cardno ccnumber ccnum debitcard paymentcard card cc",
    "BANK_ACCOUNT": "bankaccount accountnumber accountno bankaccountnumber acctnumber routingnumber kontonummer",
    "NHS": "nhs nhsnumber nhsno",
    "NATIONAL_ID": (
        "nationalid nationalidnumber nationalinsurancenumber nino pesel cpf cnpj tckimlikno tckimlik tfn taxfilenumber"
        " sin socialinsurancenumber personnummer henkilotunnus codicefiscale nif nie dni aadhaar aadhar curp bsn nir"
        " rrn npwp pan pannumber"
    ),
    "ADDRESS": "streetaddress homeaddress billingaddress shippingaddress mailingaddress postaladdress",
    "IP": "ipaddress remoteaddr clientip remoteip clientaddress",
}

STRICT: Final = frozenset({"EMAIL", "PHONE", "SSN", "ITIN", "PASSPORT", "LICENSE", "BIRTH_DATE", "IBAN", "NHS",
                           "BANK_ACCOUNT", "ADDRESS", "SECRET"})  # fmt: skip
"""Labels for which the key alone is enough: a structured value goes whatever it looks like."""
LOOSE: Final = frozenset({"CARD", "NATIONAL_ID", "IP"})
"""Labels that need a value of the right shape as well."""

_MAX_KNOWN: Final = 8192


class Keys:
    """The classifier, with the user's own keys added; remembers what it was asked."""

    def __init__(self, extra: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        self._personal = {name.encode(): label for label, names in _PERSONAL.items() for name in names.split()}
        self._extra = {self._joined(key) for key in extra} - {b""}
        self._keep = {self._joined(key) for key in keep}
        self._known: dict[str | bytes, str | None] = {}

    @staticmethod
    def _joined(key: str) -> bytes:
        return b"".join(word.lower() for word in _WORDS.findall(fold(key)))

    def label(self, key: str | bytes) -> str | None:
        """``SECRET``, a label of personal data, or `None`."""
        try:
            return self._known[key]
        except KeyError:
            pass
        found = self._classify(key if isinstance(key, bytes) else fold(key[-96:]))
        if len(self._known) < _MAX_KNOWN:
            self._known[key] = found
        return found

    def _classify(self, view: bytes) -> str | None:
        words = [word.lower() for word in _WORDS.findall(view.replace(b"\x7f", b""))]
        if not words or view[:1] == b"[":  # one of our own marks
            return None
        joined = b"".join(words)
        if joined in self._keep:
            return None
        if joined in self._extra:
            return self._personal.get(joined, "SECRET")
        if label := self._secret(words, joined):
            return label
        # ``contact_phone_number``, ``user.email``: the tail decides
        for start in range(max(0, len(words) - 4), len(words)):
            if label := self._personal.get(b"".join(words[start:])):
                return label
        return None

    def _secret(self, words: list[bytes], joined: bytes) -> str | None:
        if not _HARMLESS.isdisjoint(words):
            return None
        if not _SECRET_WORDS.isdisjoint(words) or joined in _SECRET_WORDS:
            return "SECRET"
        last = words[-1]
        if last == b"session":
            return "SECRET" if len(words) == 1 else None
        if last in _SECRET_LAST or joined.endswith(_SECRET_ENDS):
            return "SECRET"
        keyed = any(word in (b"key", b"keys") and words[i - 1] in _KEY_KINDS for i, word in enumerate(words) if i)
        return "SECRET" if keyed else None
