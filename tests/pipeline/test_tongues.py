"""Numbers, days and ids of people, where a word of their own language names them."""

from __future__ import annotations

import pytest

from spanledger.pipeline import Redactor
from spanledger.pipeline.detect import Detector

REDACTOR = Redactor()

CALLS = [
    ("Rufen Sie Frau Meier unter 030 1234567 an", "1234567"), ("Du erreichst mich nicht; ruf mich an unter: 030 1234567", "1234567"),
    ("Llame a mi oficina al 912 345 678", "345 678"), ("Llámame al 612345678", "612345678"), ("Mi celular es 11 2345-6789", "2345"),
    ("Appelez mon bureau au 01 23 45 67 89", "45 67"), ("Mon numéro est le 0612345678", "0612345678"),
    ("Chiama mia moglie al 347 1234567", "1234567"), ("Bel mijn man op 0612345678", "0612345678"),
    ("Ligue para o escritório no 912345678", "912345678"), ("Zadzwoń do biura pod 221234567", "221234567"),
    ("Ring mig på 070-123 45 67", "45 67"), ("Soita numeroon 040 1234567", "1234567"), ("Meine Nummer ist 030 1234567", "1234567"),
    ("please call my office at 0171 2345678", "2345678"), ("反馈请撥打 0912-345-678", "345-678"), ("電話は 0312345678 です", "0312345678"),
    ("اتصل على 0501234567", "0501234567"), ("התקשרו אל 0521234567", "0521234567"),
]  # fmt: skip
BIRTHS = [
    "né le 3 février {}", "née le 03/02/{}", "geboren am 3. Februar {}", "geb. 03.02.{}", "Geburtstag: 03.02.{}",
    "nato il 3 febbraio {}", "nacida el 3 de febrero de {}", "nascido em 03/02/{}", "geboortedatum: 03-02-{}",
    "geboren op 3 februari {}", "date of birth: 3rd of February {}", "data urodzenia: 03.02.{}", "født 3. februar {}",
    "出生日期: {}-02-03", "D.O.B. 31-Jan-{}", "生年月日: {}年1月31日", "datum narození 31. 1. {}",
]  # fmt: skip
IDS = [
    ("DNI 12345678Z", "12345678"), ("NIE: X-1234567-L", "1234567"), ("codice fiscale RSSMRA85T10A562S", "RSSMRA"),
    ("numéro de sécurité sociale: 185057800608491", "0578"), ("NIR 1 85 05 2A 006 084 91", "006 084"),
    ("meine Steuer-ID ist 86095742719", "8609"), ("Steueridentifikationsnummer 86 095 742 719", "742"), ("IdNr. 86095742719", "8609"),
    ("Sozialversicherungsnummer: 15070649C103", "0706"), ("Aadhaar: 2234 5678 9124", "5678"), ("PAN ABCPE1234F", "1234"),
    ("CPF 12345678909", "45678"), ("CNPJ: 11.222.333/0001-81", "222"), ("CNPJ 11222333000181", "2233"),
    ("NI number: AB123456C", "123456"), ('{"steuer_id": "86095742719"}', "8609"), ('{"nir": "185057800608491"}', "0578"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "needle"), [*CALLS, *((text.format(1980), "1980") for text in BIRTHS), *IDS])
def test_a_word_gives_it_away(text, needle):
    assert needle not in REDACTOR.text(text)
    pytest.importorskip("re2")
    assert Detector(re2=True).find(text) == Detector(re2=False).find(text)


@pytest.mark.parametrize(
    "text",
    [
        "call Bob on 2026-11-20 10:00", "call me on 03.02.2026", "please call the tool at 1700000000 or later",
        "ring buffer at 00012345", "contact support on order A4711", "Call process at line 1234567", "reach 1200 users at 12000000 rows",
        "rufen Sie die Seite unter https://x.de/12345678 auf", "il ne le fait pas avant 03/02/2026", "geb. Meier", "RFC 7231",
        "Der Termin ist am 03.02.2026", "mon numéro de commande est 12345678", "dial(a); wait at 01234567",
    ],
)  # fmt: skip
def test_what_nobody_called_born_or_numbered_stays(text):
    assert REDACTOR.text(text) == text


def test_a_card_behind_a_small_word_is_one():
    assert REDACTOR.text("no:5555555555554444exp:12/28, at 4111 1111 1111 1111") == "no:[CARD]exp:12/28, at [CARD]"
