r"""
What happens to what must not leave, in one place: data only, read from ``policy:`` in ``spanledger.yaml`` or from code.

    policy:
      default: redact                  # redact | mask | hash | drop | keep
      types: {email: hash, card: mask, ip: keep}
      keys: [customer_ref]             # their values go, whatever they hold
      keep_keys: [support_email]       # their values are looked at like any other text
      patterns: {EMPLOYEE: 'EMP-[0-9]{6}'}
      allow: [support@example.com, '/@example\\.org$/']
      attributes: {db.query.text: drop, "http.request.header.*": hash}
      agents: {billing: {types: {card: drop}}}
      user_id: hash                    # given | hash | drop
      session_id: given
      detectors: [kingfisher]          # besides ours: kingfisher, presidio
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timezone
from typing import Any, Final, TypeAlias

from .errors import ConfigurationError
from .spelling import hint, nearest

__all__ = ["ACTIONS", "DETECTORS", "IDENTITY", "Decide", "Policy", "read_moment", "read_policy"]

ACTIONS: Final = ("redact", "mask", "hash", "drop", "keep")
IDENTITY: Final = ("given", "hash", "drop")
DETECTORS: Final = ("kingfisher", "presidio")
LABELS: Final = (
    "EMAIL", "PHONE", "CARD", "SSN", "ITIN", "IBAN", "IP", "MAC", "CRYPTO", "NHS", "NATIONAL_ID", "PASSPORT", "LICENSE",
    "BIRTH_DATE", "BANK_ACCOUNT", "ADDRESS", "SECRET", "URL_PASSWORD", "JWT", "PRIVATE_KEY", "WEBHOOK", "BASE64",
    "BASE64_JSON", "FLOOD",
)  # fmt: skip
"""What our own detectors find, besides the keys and tokens of vendors."""
_ALIKE: Final = 0.75
"""From here on a name that is no label was meant to be one; `US_BANK_NUMBER` is not like any."""

Decide: TypeAlias = Callable[[str, str], "str | None"]
"""A label and what was found, to what takes its place; `None` leaves it to the policy.  Raising redacts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    What happens to what was found.  The default redacts all of it.

    *types* names labels as they stand in marks (``EMAIL``, ``CARD``, ...), any case.  *allow* holds texts, and regular
    expressions between slashes.  *attributes* are names or patterns with ``*`` at the end.
    """

    default: str = "redact"
    types: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    keep_keys: tuple[str, ...] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, Policy] = field(default_factory=dict)
    user_id: str = "given"
    session_id: str = "given"
    detectors: tuple[str, ...] = ()
    decide: Decide | None = None

    def __post_init__(self) -> None:
        """Raise `ConfigurationError` for what means nothing."""
        _one_of(self.default, ACTIONS, "policy.default")
        for name, actions in (("types", self.types), ("attributes", self.attributes)):
            for key, action in actions.items():
                _one_of(action, ACTIONS, f"policy.{name}.{key}")
        _one_of(self.user_id, IDENTITY, "policy.user_id")
        _one_of(self.session_id, IDENTITY, "policy.session_id")
        for detector in self.detectors:
            _one_of(detector, DETECTORS, "policy.detectors")
        for name, pattern in self.patterns.items():
            _compiles(pattern, f"policy.patterns.{name}")
        for entry in self.allow:
            if len(entry) > 1 and entry[0] == entry[-1] == "/":
                _compiles(entry[1:-1], "policy.allow")

    def action(self, label: str) -> str:
        """What happens to what has this *label*."""
        for name, action in self.types.items():
            if name.upper() == label:
                return action
        return self.default

    def for_attribute(self, name: str) -> str | None:
        """What happens to the whole attribute *name*, where that is said."""
        if (action := self.attributes.get(name)) is not None:
            return action
        return next((a for key, a in self.attributes.items() if key[-1:] == "*" and name.startswith(key[:-1])), None)


def read_moment(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 moment, UTC where it has no zone; `ConfigurationError` when it is none."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ConfigurationError(
            f"capture_until is {text!r}; it must be a moment like '2026-11-20T18:00Z'", "capture_until"
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _one_of(value: Any, choices: tuple[str, ...], where: str) -> None:
    if value not in choices:
        raise ConfigurationError(f"{where} is {value!r}; {hint(value, choices)}")


def _compiles(pattern: str, where: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ConfigurationError(f"{where} is no regular expression: {error}") from error


def read_policy(value: Any) -> Policy:
    """The policy that *value*, a mapping from a file, spells; raises `ConfigurationError` that names what is wrong."""
    if isinstance(value, Policy):
        _check_labels(value, "policy", value.patterns)
        for name, agent in value.agents.items():
            _check_labels(agent, f"policy.agents.{name}", {**value.patterns, **agent.patterns})
        return value
    return _read(value, "policy", None)


def _check_labels(policy: Policy, where: str, own: Iterable[str]) -> None:
    """
    Raise `ConfigurationError` for a type that is nearly a label and none: what was meant would go on as by default.

    Others are left alone: vendors' keys have labels of their own, as have the user's *own* patterns and Presidio.
    """
    own = {str(name).upper() for name in own}
    for name in policy.types if not policy.detectors else ():
        label = str(name).upper()
        if label in LABELS or label in own or label.endswith(("_KEY", "_TOKEN")):
            continue
        if (meant := nearest(label, LABELS, _ALIKE)) is not None:
            raise ConfigurationError(f"{where}.types has {name!r}; did you mean {meant.lower()!r}?")


def _read(value: Any, where: str, parent: Policy | None) -> Policy:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where} is {value!r}; it must be a mapping")
    known = [f.name for f in fields(Policy) if f.name != "decide" and (parent is None or f.name != "agents")]
    given: dict[str, Any] = {}
    for name, item in value.items():
        if name not in known:
            raise ConfigurationError(f"unknown key {name!r} in {where}; {hint(name, known)}")
        if name in ("types", "patterns", "attributes", "agents"):
            if not isinstance(item, Mapping):
                raise ConfigurationError(f"{where}.{name} is {item!r}; it must be a mapping")
            given[name] = dict(item)
        elif name in ("keys", "keep_keys", "allow", "detectors"):
            if not isinstance(item, (list, tuple)) or not all(isinstance(entry, str) for entry in item):
                raise ConfigurationError(f"{where}.{name} is {item!r}; it must be a list of texts")
            given[name] = tuple(item)
        else:
            given[name] = item
    agents = given.pop("agents", {})
    made = replace(parent, **given, agents={}) if parent is not None else Policy(**given)
    _check_labels(made, where, {**made.patterns, **(parent.patterns if parent is not None else {})})
    return replace(made, agents={name: _read(item, f"{where}.agents.{name}", made) for name, item in agents.items()})
