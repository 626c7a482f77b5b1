"""
Detectors of other makers, for who wants them: Kingfisher's secret rules, Presidio's names and national numbers.

Both are heavy (seconds to load, a hundred megabytes), so they are loaded when first used, on the worker thread.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from spanledger.errors import ConfigurationError
from spanledger.policy import Policy
from spanledger.shield import logger

__all__ = ["Other", "check_detectors", "others_of"]

Span: TypeAlias = tuple[int, int, str]
Other: TypeAlias = Callable[[str], Sequence[Span]]
"""Text to spans, whose offsets count characters."""

_PACKAGES: Final = {"kingfisher": ("kingfisher_sdk", "secrets"), "presidio": ("presidio_analyzer", "presidio")}
_PRESIDIO_LABELS: Final = {
    "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD", "US_SSN": "SSN", "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP", "US_ITIN": "ITIN", "UK_NHS": "NHS", "MAC_ADDRESS": "MAC",
}  # fmt: skip
_PRESIDIO_IGNORED: Final = frozenset({"URL", "DATE_TIME", "UUID", "NRP"})
_PRESIDIO_SCORE: Final = 0.4
_MODELS: Final = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")
_MAX_PRESIDIO: Final = 20_000
"""Its tokenizer is quadratic in runs of punctuation; longer texts are left to the other detectors."""


def check_detectors(policy: Policy) -> None:
    """Raise `ConfigurationError` when a detector that *policy* asks for is not installed."""
    for name in policy.detectors:
        module, extra = _PACKAGES[name]
        if find_spec(module) is None:
            raise ConfigurationError(f"policy.detectors has {name!r}, which needs: pip install 'spanledger[{extra}]'")


def others_of(policy: Policy) -> list[Other]:
    """The detectors that *policy* asks for, besides ours; `ConfigurationError` when one is not installed."""
    check_detectors(policy)
    made: list[Other] = [_pattern(label.upper(), pattern) for label, pattern in policy.patterns.items()]
    made += [_kingfisher() if name == "kingfisher" else _presidio() for name in policy.detectors]
    return made


def _pattern(label: str, pattern: str) -> Other:
    finditer = re.compile(pattern).finditer
    return lambda text: [(*match.span(), label) for match in finditer(text) if match.end() > match.start()]


def _kingfisher() -> Other:
    lock = threading.Lock()
    made: list[Any] = []

    def find(text: str) -> list[Span]:
        with lock:
            if not made:
                from kingfisher_sdk import Scanner  # noqa: PLC0415 - seconds to load

                made.append(Scanner())
            made[0].reset_dedup()
            findings = made[0].scan(text)
        if not findings:
            return []
        places = [finding.location for finding in findings]
        return [(*_characters(text, place["start_offset"], place["end_offset"]), "SECRET") for place in places]

    return find


def _characters(text: str, start: int, end: int) -> tuple[int, int]:
    """Offsets of UTF-8 bytes as offsets of characters."""
    if text.isascii():
        return start, end
    data = text.encode("utf-8", "surrogatepass")
    first = len(data[:start].decode("utf-8", "replace"))
    return first, first + len(data[start:end].decode("utf-8", "replace"))


def _analyzer() -> Any:
    """Presidio's engine with the language model that is installed; it would fetch one from the network by itself."""
    import spacy  # noqa: PLC0415 - seconds to load
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415 - as above
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415 - as above

    model = next((name for name in _MODELS if spacy.util.is_package(name)), None)
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": model or "blank"}])
    if model is None:
        logger.warning("presidio finds no names: no language model is installed, e.g. %s", _MODELS[0])
        engine.nlp = {"en": spacy.blank("en")}
    return AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])


def _presidio() -> Other:
    lock = threading.Lock()
    made: list[Any] = []

    def find(text: str) -> list[Span]:
        if len(text) > _MAX_PRESIDIO:
            return []
        with lock:
            if not made:
                made.append(_analyzer())
            results = made[0].analyze(text, language="en", score_threshold=_PRESIDIO_SCORE)
        return [
            (result.start, result.end, _PRESIDIO_LABELS.get(result.entity_type, result.entity_type))
            for result in results
            if result.entity_type not in _PRESIDIO_IGNORED
        ]

    return find
