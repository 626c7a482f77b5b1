"""
Run rows come from the ledger and not through the pipeline, so they are redacted here, in the same way.

The user of a row is spelled as on the run's spans: one id finds both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import semconv
from ..config import Settings
from ..pipeline.identity import Identity
from ..pipeline.steps import identity_of, redactor_of
from .rows import RunRow

__all__ = ["protection"]

_SAID: Final = {
    "name": semconv.AGENT_NAME, "session_id": semconv.SESSION_ID, "user_id": semconv.USER_ID,
    "request_id": semconv.REQUEST_ID, "agent_version": semconv.AGENT_VERSION,
    "prompt_version": semconv.PROMPT_VERSION, "last_tool": semconv.TOOL_NAME, "service_name": "service.name",
    "service_version": "service.version",
}  # fmt: skip
"""The fields that somebody wrote, and what they are called on spans."""
_WORDS: Final = frozenset({"reason", "subject", "by", "why"})
_PEOPLE: Final = {"user": semconv.USER_ID, "session": semconv.SESSION_ID}
"""Scopes of decisions whose subject is a person's, and what that is called on spans."""


def protection(settings: Settings) -> Callable[[RunRow], RunRow] | None:
    """What `LiveRuns` describes rows with, or `None` where they stay as they are."""
    identity = identity_of(settings)
    if not settings.redact:
        as_given = settings.policy.user_id == settings.policy.session_id == "given"
        return None if as_given else lambda row: _anonymous(identity, row)

    def describe(row: RunRow) -> RunRow:
        redactor = redactor_of(settings)  # costly to make, so on the thread that writes
        said = {key: value for field, key in _SAID.items() if (value := getattr(row, field)) is not None}
        said |= {semconv.LABEL + key: value for key, value in row.labels.items()}
        identity.attributes(said)
        kept = redactor.attributes(said)
        fields: dict[str, Any] = {field: _text(kept.get(key)) for field, key in _SAID.items()}
        start = len(semconv.LABEL)
        labels = {key[start:]: str(value) for key, value in kept.items() if key.startswith(semconv.LABEL)}
        models = {redactor.text(model): calls for model, calls in row.models.items()}
        decisions = [_decision(redactor, identity, decision) for decision in row.decisions]
        return dataclasses.replace(row, labels=labels, models=models, decisions=decisions, **fields)

    return describe


def _anonymous(identity: Identity, row: RunRow) -> RunRow:
    """*row* with its user and session as the policy wants them, and nothing else changed."""
    people = {semconv.USER_ID: row.user_id, semconv.SESSION_ID: row.session_id}
    identity.attributes(people)
    return dataclasses.replace(
        row, user_id=people.get(semconv.USER_ID), session_id=people.get(semconv.SESSION_ID)
    )  # fmt: skip


def _decision(redactor: Any, identity: Identity, decision: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what must not leave; users and sessions are spelled as on spans."""
    found = {key: redactor.text(value) if key in _WORDS else value for key, value in decision.items()}
    if (name := _PEOPLE.get(str(decision.get("scope")))) and (subject := decision.get("subject")) is not None:
        people = {name: subject}
        identity.attributes(people)
        found["subject"] = _text(redactor.attributes(people).get(name))
    return found


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
