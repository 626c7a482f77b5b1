"""The words of names that give a value away, and of those that only look like it; data only."""

from __future__ import annotations

import re
from typing import Final

from .fold import fold

__all__ = [
    "CODE_KINDS", "FOREIGN_FORMS", "FOREIGN_STARTS", "HARMLESS", "KEY_KINDS", "PERSONAL", "SECRET_ENDS", "SECRET_LAST",
    "SECRET_WORDS", "WORDS",
]  # fmt: skip

WORDS: Final = re.compile(rb"[A-Z]+(?![a-z\x80-\xfe])|[A-Z]?[a-z\x80-\xfe]+")
"""The words of a folded name, ``camelCase`` or with separators."""
FOREIGN: Final = (
    "l\u00f6senord", "\u043f\u0430\u0440\u043e\u043b", "\u5bc6\u7801", "\u5bc6\u78bc", "\u30d1\u30b9\u30ef\u30fc\u30c9",
    "\ube44\ubc00\ubc88\ud638", "\u03ba\u03c9\u03b4\u03b9\u03ba", "\u05e1\u05d9\u05e1\u05de\u05d4",
    "\u0643\u0644\u0645\u0629 \u0627\u0644\u0645\u0631\u0648\u0631", "has\u0142o", "\u015fifre", "jelsz\u00f3",
    "\u092a\u093e\u0938\u0935\u0930\u094d\u0921",
)  # fmt: skip
"""The password in other languages, as it begins."""
FOREIGN_FORMS: Final = tuple({fold(form): None for word in FOREIGN for form in (word, word.capitalize(), word.upper())})
"""The same as they are folded, also where they begin a sentence or shout."""
FOREIGN_STARTS: Final = tuple({b"".join(WORDS.findall(form)).lower(): None for form in FOREIGN_FORMS})
_LATIN: Final = (
    b"contrasena senha kennwort wachtwoord heslo lozinka passord parola sifre salasana jelszo haslo motdepasse"
    b" losenord adgangskode"
)
SECRET_WORDS: Final = frozenset(
    b"password passwords passwd passwds pwd passphrase passcode passwort secret secrets credential credentials creds"
    b" authorization cookie cookies apikey apikeys privatekey privatekeys secretkey accesskey authkey authtoken"
    b" accesstoken idtoken csrf xsrf jwt bearer otp totp cvv cvc cvv2 accountkey sharedaccesskey dsn pw userpassword"
    b" mysqlpwd sessionid jsessionid phpsessid mnemonic requirepass storepass keypass psk wpapsk".split()
) | frozenset(_LATIN.split())
SECRET_LAST: Final = frozenset(b"token auth pass pin session signature sig sid code_verifier".split())
SECRET_ENDS: Final = (
    b"connectionstring", b"token", b"password", b"passwd", b"apikey", b"secretkey", b"accesskey", b"privatekey",
)  # fmt: skip
KEY_KINDS: Final = frozenset(
    b"api access secret private signing encryption account shared master client storage subscription service admin app"
    b" license licence deploy auth crypto hmac ssh root webhook decryption consumer"
    b" openai anthropic azure aws gcp google maps firebase stripe twilio sendgrid mailgun algolia datadog dd newrelic"
    b" github gitlab slack heroku cohere mistral groq xai pinecone weaviate qdrant langfuse langsmith wandb hf"
    b" huggingface replicate together fireworks deepseek perplexity openrouter elevenlabs deepgram tavily serper"
    b" serpapi exa firecrawl ibm iam softlayer sl cloudant cos".split()
)
"""What stands before ``key`` in the name of a secret one."""
CODE_KINDS: Final = frozenset(
    b"verification security confirmation access login time recovery backup unlock fa mfa auth authorization passcode"
    b" seed otp pin".split()
)
"""What stands before ``code`` or ``phrase`` in the name of a secret one."""
HARMLESS: Final = frozenset(
    b"count counts counter limit limits max min total totals type types length len size usage budget policy expires"
    b" expiry expiration expire ttl bucket rate per cost price name names arn version url uri endpoint path file"
    b" method mode scheme strategy consent required require requires enabled disabled provider has is num number_of"
    b" strength rotation status valid source hint reset change index prefix suffix estimate estimated remaining"
    b" duration stdin ref refs format schema position offset ids manager store id".split()
)
PERSONAL: Final = {
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
        " driverlicencenumber driverslicencenumber licencenumber"
    ),
    "BIRTH_DATE": (
        "dob birthdate dateofbirth birthday geburtsdatum fechadenacimiento datedenaissance datadinascita"
        " datadenascimento geboortedatum geburtstag dataurodzenia"
    ),
    "IBAN": "iban payoutiban ibannumber",
    "CARD": "creditcard creditcardnumber cardnumber cardno ccnumber ccnum debitcard paymentcard card cc",
    "BANK_ACCOUNT": "bankaccount accountnumber accountno bankaccountnumber acctnumber routingnumber kontonummer",
    "NHS": "nhs nhsnumber nhsno",
    "NATIONAL_ID": (
        "nationalid nationalidnumber nationalinsurancenumber nino pesel cpf cnpj tckimlikno tckimlik tfn taxfilenumber"
        " sin socialinsurancenumber personnummer henkilotunnus codicefiscale nif nie dni aadhaar aadhar curp bsn nir"
        " rrn npwp pan pannumber steuerid steueridnr steueridentifikationsnummer idnr sozialversicherungsnummer"
        " securitesociale numerosecuritesociale ninumber"
    ),
    "ADDRESS": "streetaddress homeaddress billingaddress shippingaddress mailingaddress postaladdress address",
    "IP": "ipaddress remoteaddr clientip remoteip clientaddress",
    "MAC": "macaddress mac",
}
"""Labels, and the names that stand for them, without separators."""
