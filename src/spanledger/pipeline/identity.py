"""Who is behind a span: `user.id`, `session.id` and their kin, as given, as keyed hashes, or not at all."""

from __future__ import annotations

from typing import Any, Final

from spanledger import semconv
from spanledger.hashing import hasher
from spanledger.policy import Policy

from .record import Record

__all__ = ["Identity"]

_USERS: Final = (semconv.USER_ID, "enduser.id", "enduser.pseudo.id", "user.name", "user.full_name", "user.hash",
                 "langfuse.user.id", "traceloop.association.properties.user_id")  # fmt: skip
_SESSIONS: Final = (semconv.SESSION_ID, semconv.CONVERSATION_ID, "session.previous_id", "langfuse.session.id",
                    "traceloop.association.properties.session_id")  # fmt: skip


class Identity:
    """The step that does with user and session what the policy says."""

    def __init__(self, policy: Policy) -> None:
        self._actions = [("user", policy.user_id, _USERS), ("session", policy.session_id, _SESSIONS)]

    def __call__(self, record: Record) -> None:
        """Change *record*'s attributes."""
        self.attributes(record.attributes)

    def attributes(self, attributes: dict[str, Any]) -> None:
        """The same for one set of attributes, in place."""
        for purpose, action, names in self._actions:
            if action == "given":
                continue
            for name in names:
                value = attributes.get(name)
                if value is None or (isinstance(value, str) and value.startswith("hmac-sha256:")):
                    continue
                if action == "drop":
                    del attributes[name]
                else:
                    attributes[name] = hasher().hash(str(value), purpose).text
