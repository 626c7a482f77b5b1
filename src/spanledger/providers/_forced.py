"""
Requests that leave the model one tool and no choice: a way to have its answer in a shape, not to have something done.

https://platform.openai.com/docs/guides/function-calling, https://docs.claude.com/en/docs/agents-and-tools/tool-use,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html,
https://ai.google.dev/gemini-api/docs/function-calling
"""

from __future__ import annotations

from typing import Any, Final

from ._wire import as_list, fields

__all__ = ["forced"]

_ANY: Final = frozenset({"required", "any", "ANY", "REQUIRED"})


def forced(body: Any) -> bool:
    """Whether *body*, a request of whatever provider, names the one tool that the model is to call."""
    found = fields(body)
    if (choice := found.get("tool_choice")) is not None:  # OpenAI and those like it, Anthropic, Mistral, Cohere
        said = fields(choice)
        kind = said.get("type", choice)
        named = said.get("name") or fields(said.get("function")).get("name")
        return bool(named) or (_is_any(kind) and _number(found.get("tools")) == 1)
    if (legacy := found.get("function_call")) is not None:
        return bool(fields(legacy).get("name"))
    if (config := fields(found.get("toolConfig"))) and (said := fields(config.get("toolChoice"))):  # Bedrock
        return "tool" in said or ("any" in said and _number(config.get("tools")) == 1)
    calling = fields(config.get("functionCallingConfig"))  # Gemini
    if not _is_any(calling.get("mode")):
        return False
    names = as_list(calling.get("allowedFunctionNames"))
    declared = [each for tool in as_list(found.get("tools")) for each in as_list(_declarations(tool))]
    return len(names or declared) == 1


def _is_any(kind: Any) -> bool:
    return isinstance(kind, str) and getattr(kind, "value", kind) in _ANY


def _number(tools: Any) -> int:
    return len(as_list(tools))


def _declarations(tool: Any) -> Any:
    found = fields(tool)
    return found.get("functionDeclarations") or found.get("function_declarations")
