"""
LiteLLM's router: deployments that it tries in turn.  The calls themselves are those of a client, see `providers`.

https://github.com/BerriAI/litellm
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import get_current

from ..runs import Fallbacks, fallbacks
from ._framework import Framework, Hook, around

__all__ = ["FRAMEWORK"]


def _in_turn(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fallbacks | None:  # noqa: ARG001
    return Fallbacks() if fallbacks(get_current()) is None else None  # each fallback comes through here again


FRAMEWORK: Final = Framework(
    "litellm", "1.60", (Hook("litellm.router", ("Router.async_function_with_fallbacks",), around(_in_turn)),)
)
