"""What takes the place of what was found: a label, a mask, a keyed token, nothing, or the thing itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from spanledger.hashing import hasher
from spanledger.policy import Policy
from spanledger.shield import report

__all__ = ["FAILED", "Mark", "mark_of", "whole"]

Mark: TypeAlias = Callable[[str, str], str]
"""A label and the text it was found in, to what takes its place; the very same text when it may stay."""

FAILED: Final = "[REDACTION FAILED]"
_SHOWN: Final = 4


def mark_of(policy: Policy) -> Mark:
    """The marks that *policy* wants."""
    if policy == Policy():
        return _label
    allowed = {entry.casefold() for entry in policy.allow if not _is_pattern(entry)}
    patterns = [re.compile(entry[1:-1]) for entry in policy.allow if _is_pattern(entry)]
    actions: dict[str, str] = {}

    def mark(label: str, text: str) -> str:
        if text.casefold() in allowed or any(pattern.search(text) for pattern in patterns):
            return text
        if policy.decide is not None:
            try:
                decided = policy.decide(label, text)
            except Exception as error:  # noqa: BLE001 - somebody else's code, and it must not cost the value's safety
                report("asking the policy's callable", error)
                return _label(label, text)
            if decided is not None:
                return decided
        if label not in actions:
            actions[label] = policy.action(label)
        return whole(actions[label], label, text)

    return mark


def whole(action: str, label: str, value: Any) -> str:
    """What *action* makes of the whole *value*."""
    text = value if isinstance(value, str) else str(value)
    if action == "mask":
        shown = "".join(char for char in text if char.isalnum())[-_SHOWN:]
        return f"[{label} ****{shown}]" if len(text) > 2 * _SHOWN else f"[{label}]"
    if action == "hash":
        return hasher().token(label, text)
    if action == "drop":
        return ""
    return text if action == "keep" else _label(label, text)


def _label(label: str, _text: str) -> str:
    return f"[{label}]"


def _is_pattern(entry: str) -> bool:
    return len(entry) > 1 and entry[0] == entry[-1] == "/"
