"""Detectors of other makers: the real ones where they are installed, stand-ins of their shape where not."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from spanledger.pipeline import Redactor, others
from spanledger.policy import Policy


def test_bytes_are_counted_as_characters(monkeypatch):
    class Scanner:
        def reset_dedup(self):
            pass

        def scan(self, text):
            start = text.encode().index(b"zzz-1")
            return [SimpleNamespace(location={"start_offset": start, "end_offset": start + 5})]

    module = ModuleType("kingfisher_sdk")
    module.Scanner = Scanner
    monkeypatch.setitem(sys.modules, "kingfisher_sdk", module)
    monkeypatch.setattr(others, "find_spec", lambda _name: object())
    redactor = Redactor(Policy(detectors=("kingfisher",)))
    assert redactor.text("f\u00fcr zzz-1 und \u00fc") == "f\u00fcr [SECRET] und \u00fc"


def test_labels_of_presidio_are_ours(monkeypatch):
    class Engine:
        def analyze(self, text, language, score_threshold):
            at = text.index("Jane")
            found = [(at, at + 4, "PERSON"), (0, 3, "DATE_TIME"), (at + 5, at + 8, "US_SSN")]
            return [SimpleNamespace(start=start, end=end, entity_type=kind) for start, end, kind in found]

    monkeypatch.setattr(others, "find_spec", lambda _name: object())
    monkeypatch.setattr(others, "_analyzer", Engine)
    assert Redactor(Policy(detectors=("presidio",))).text("ask Jane for it") == "ask [PERSON] [SSN] it"


def test_kingfisher_itself():
    pytest.importorskip("kingfisher_sdk")
    redactor = Redactor(Policy(detectors=("kingfisher",)))
    key = "sha256~a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V"
    assert redactor.text("nothing at all") == "nothing at all"
    for text in ("f\u00fcr ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8 hier", f'openshift {key} {{"a": 1}}'):
        new = redactor.text(text)
        assert "a1B2c3D4e5F6g7H8" not in new
        assert new.startswith(text[:4])
        assert new.endswith(text[-4:])


def test_presidio_itself():
    pytest.importorskip("presidio_analyzer")
    redactor = Redactor(Policy(detectors=("presidio",)))
    assert redactor.text("licence to practise: BB1388568, medical") != "licence to practise: BB1388568, medical"
    assert redactor.text("nothing at all") == "nothing at all"
