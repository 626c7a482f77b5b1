"""
Which tools and models an agent may use.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from ..budget import Rule

__all__ = ["Access"]

MAX_REMEMBERED: Final = 4096


class Access:
    """The rules, and their answers so far."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._answers: dict[tuple[str, str, str], tuple[Rule, str] | None] = {}

    def refused(self, kind: str, agent: str | None, name: str) -> tuple[Rule, str] | None:
        """The rule that does not let *agent* use the *kind* (``tool`` or ``model``) called *name*, and why."""
        key = (kind, agent or "", name)
        try:
            return self._answers[key]
        except KeyError:
            answer = self._ask(*key)
            if len(self._answers) >= MAX_REMEMBERED:
                self._answers.clear()
            self._answers[key] = answer
            return answer

    def _ask(self, kind: str, agent: str, name: str) -> tuple[Rule, str] | None:
        for rule in self._rules:
            if not fnmatchcase(agent, rule.agent):
                continue
            allowed, denied = (rule.tools, rule.deny_tools) if kind == "tool" else (rule.models, rule.deny_models)
            why = f" ({rule.why})" if rule.why else ""
            if pattern := next((p for p in denied if fnmatchcase(name, p)), None):
                return rule, f"{kind} {name} is denied to agent {agent or '-'} by {pattern!r}{why}"
            if not any(fnmatchcase(name, p) for p in allowed):
                return rule, f"{kind} {name} is not among those allowed to agent {agent or '-'}{why}"
        return None
