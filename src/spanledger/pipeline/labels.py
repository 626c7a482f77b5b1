"""
The redactor of metrics and baggage: it writes labels only, never keyed tokens.
"""

from __future__ import annotations

from functools import lru_cache

from spanledger.config import Settings
from spanledger.policy import Policy

from .redact import Redactor

__all__ = ["labelling_redactor"]


@lru_cache(maxsize=8)
def _redactor_for(keys: tuple[str, ...], policy_keys: tuple[str, ...], keep: tuple[str, ...],
                  patterns: tuple[tuple[str, str], ...], allow: tuple[str, ...]) -> Redactor:  # fmt: skip
    policy = Policy(keys=policy_keys, keep_keys=keep, patterns=dict(patterns), allow=allow)
    return Redactor(policy, keys)


def labelling_redactor(settings: Settings) -> Redactor:
    """A redactor that writes labels only, whatever the policy does with what is found."""
    policy = settings.policy
    return _redactor_for(settings.own_keys, policy.keys, policy.keep_keys, tuple(policy.patterns.items()), policy.allow)
