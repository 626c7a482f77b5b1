"""
What a name says of what stands below it, and its neighbours of it.

All is secret below ``password``.  Of an object below ``email``, ``phone`` or ``session`` only the thing itself goes:
its ``address``, ``number`` or ``id``, and what looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .fold import fold
from .keys import Keys
from .personal import fits
from .values import is_very_strong

__all__ = ["ODD", "PARTLY", "below", "field", "itself", "odd"]

_LABELS: Final = {"email": "EMAIL", "phone": "PHONE", "session": "SECRET"}
_OPEN: Final = frozenset(_LABELS.values())
_ALL, _SOME = "of ", "in "
PARTLY: Final = frozenset(start + kind for kind in _LABELS for start in (_ALL, _SOME))
"""Stand for a label where only the thing itself goes: of a list's strings each is one, of an object's few are."""
_ITSELF: Final = {
    kind: frozenset(names.split())
    for kind, names in {
        "email": (
            "address addresses value values raw normalized local localpart to from cc bcc sender recipient recipients"
            " replyto primary secondary home work personal other"
        ),
        "phone": (
            "number numbers value values raw normalized national international e164 formatted display local line"
            " areacode area prefix exchange subscriber primary secondary main home work personal office other"
        ),
        "session": "id ids sid key value uuid hash data raw",
    }.items()
}
"""The fields that are the thing itself."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HEX: Final = re.compile(r"[0-9A-Fa-f-]{32,64}")
_JWK: Final = frozenset({"d", "k", "p", "q", "dp", "dq", "qi"})
"""The private parts of a JSON web key."""
ODD: Final = _JWK | {"token"}
"""Names whose neighbours tell what they mean."""


def below(keys: Keys, name: str, label: str | None) -> str | None:
    """What *label*, that of *name*, says of a list or an object there: itself, or one of `PARTLY`."""
    if label is None or label not in _OPEN or keys.is_given(name):
        return label
    kind = "session" if label == "SECRET" else label.lower()
    return _ALL + kind if kind != "session" or name.lower() == kind else label


def field(above: str, name: str, own: str | None) -> str:
    """What the field *name*, whose own label is *own*, is of an object that *above* (one of `PARTLY`) is said of."""
    kind = above[len(_ALL) :]
    if name.lower().replace("_", "").replace("-", "") in _ITSELF[kind]:
        return _ALL + kind
    return own or _SOME + kind


def itself(above: str, text: str) -> str | None:
    """The label of *text*, of which *above* (one of `PARTLY`) is said; `None` where it is not the thing itself."""
    kind = above[len(_ALL) :]
    return _LABELS[kind] if above[: len(_ALL)] == _ALL or _looks(kind, text) else None


def _looks(kind: str, text: str) -> bool:
    if kind == "phone":
        return fits("PHONE", fold(text)) and not _DATE.match(text)
    return kind == "session" and (_HEX.fullmatch(text) is not None or is_very_strong(fold(text)))


def odd(name: str, own: Mapping[Any, Any], label: str | None) -> str | None:
    """The label of a *name* that its neighbours tell of: part of a key, or a word beside its probability."""
    if name in _JWK:
        return "SECRET" if "kty" in own else label
    return None if "logprob" in own else label
