"""
Who is behind a span: `user.id`, `session.id` and their kin, as given, as keyed hashes, or not at all.

What is given leaves as it is, unless it would be redacted (an e-mail address, a phone number): then its hash leaves, so
that one user is still told from another, and the same one found again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from spanledger import semconv
from spanledger.hashing import hasher
from spanledger.policy import Policy

from .record import Record

__all__ = ["Identity", "spellings"]

_USERS: Final = (semconv.USER_ID, "enduser.id", "enduser.pseudo.id", "user.name", "user.full_name", "user.hash",
                 "user.email", "langfuse.user.id", "traceloop.association.properties.user_id")  # fmt: skip
_SESSIONS: Final = (semconv.SESSION_ID, semconv.CONVERSATION_ID, "session.previous_id", "langfuse.session.id",
                    "traceloop.association.properties.session_id")  # fmt: skip
_HASHED: Final = "hmac-sha256:"


class Identity:
    """Does with user and session what the policy says; *telling* says whether a value would be redacted."""

    def __init__(self, policy: Policy, telling: Callable[[str], bool] | None = None) -> None:
        self._actions = [("user", policy.user_id, _USERS), ("session", policy.session_id, _SESSIONS)]
        self._telling = telling

    def __call__(self, record: Record) -> None:
        """Change *record*'s attributes, and those of its events."""
        for attributes in (record.attributes, *(event.attributes for event in record.events)):
            self.attributes(attributes)

    def attributes(self, attributes: dict[str, Any]) -> None:
        """The same for one set of attributes, in place."""
        for purpose, action, names in self._actions:
            for name in names:
                value = attributes.get(name)
                if value is None or (isinstance(value, str) and value.startswith(_HASHED)):
                    continue
                if action == "drop":
                    del attributes[name]
                elif action == "hash" or (self._telling is not None and self._telling(str(value))):
                    attributes[name] = hasher().hash(str(value), purpose).text


def spellings(purpose: str, given: str) -> tuple[str, ...]:
    """How the user or session *given* may be spelled in what was stored: as it is, or hashed, by a key before too."""
    if given.startswith(_HASHED):
        return (given,)
    hashed = hasher().hash(given, purpose)
    return (given, hashed.text, *([hashed.previous] if hashed.previous is not None else []))
