"""The page of clients is made of the adapters."""

from __future__ import annotations

import os
from pathlib import Path

from more_clients import MORE_CASES
from spanledger.providers import ADAPTERS
from spanledger.providers._anthropic_messages import COMPLETE, COUNT, MESSAGES
from spanledger.providers._bedrock_bodies import _BY_KEY, _PROMPT
from spanledger.providers._plain_calls import plain_call
from spanledger.providers.bedrock import OPERATIONS
from spanledger.providers.google_genai import ROUTES as GOOGLE
from spanledger.providers.ollama import ROUTES as OLLAMA
from spanledger.providers.openai import ROUTES as OPENAI
from spanledger.providers.stainless_clients import ROUTES as ALIKE
from spanledger.providers.xai import CHAT as XAI

WRITE = bool(os.environ.get("SPANLEDGER_WRITE_DOCS"))
PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
ROUTES = {
    "anthropic": [MESSAGES, COUNT, COMPLETE, plain_call("batch")], "xai_sdk": [XAI],
    "botocore": [*OPERATIONS.values(), _PROMPT, *(endpoint for _, endpoint in _BY_KEY)], "google.genai": GOOGLE.values(),
    "ollama": OLLAMA.values(), "openai": OPENAI.values(), **{name: routes.values() for name, routes in ALIKE.items()},
}  # fmt: skip
HEAD = """# Clients

Generated from the adapters. *From* is the oldest version that is tested; a method that a client moves is reported by
`spanledger doctor`. A client is seen in its synchronous and its asynchronous form (boto3's asynchronous one is
aiobotocore, which aioboto3 stands on); chats and completions plainly and streaming, raw responses included where the
client has them. What has no tokens on the wire is a call with its provider, model, duration and status, and counts as
unpriced.

| package | from | operations |
|---|---|---|
"""
TAIL = """
## Through OpenAI's client

DeepSeek, xAI, Perplexity, Moonshot, OpenRouter, Together, Fireworks, Cerebras, Groq, Mistral, Hugging Face and Azure
OpenAI are told by the base URL. A URL that nobody knows (vLLM, LM Studio, a gateway) keeps the name `openai`, which is
the flavour that is spoken.

## Adopted

A client that makes spans of its own is switched to silence by its public switch. Where a client object was made before
us, or was told to speak, or with `SPANLEDGER_NATIVE_SPANS=true`, its span is the call's: it gets all that a span of ours
has and it does not (run, step, finish reasons, usage, error class, how a stream ended, messages where content is
captured, cost) and there is no other. A request that the client makes no span for (`client.post`) has ours. xAI's client
makes its tracers when it is imported; where that was before us, they are silenced while we watch.

Where another instrumentation's span stands around the client as well, that one is completed and the client's own is left
out. A client whose spans go to a tracer provider that is not ours has a span in each.


"""


def operations(adapter):
    endpoints = list(ROUTES.get(adapter.package, ()))
    for seam in adapter.seams:
        endpoints += [
            value for value in (getattr(seam.recognize, "__defaults__", None) or ()) if hasattr(value, "fold")
        ]
        cells = getattr(seam.recognize, "__closure__", None) or ()
        endpoints += [cell.cell_contents for cell in cells if hasattr(cell.cell_contents, "fold")]
    return sorted({endpoint.operation for endpoint in endpoints} - {"invoke"}) or ["chat"]


def page():
    parts = [HEAD]
    for adapter in sorted(ADAPTERS, key=lambda adapter: adapter.distribution):
        listed = ", ".join(f"`{name}`" for name in operations(adapter))
        parts.append(f"| `{adapter.distribution}` | {adapter.oldest} | {listed} |\n")
    parts.append(TAIL)
    parts += [f"- `{a.distribution}`: `{a.quiet[0]}={a.quiet[1]}`\n" for a in ADAPTERS if a.quiet]
    covering = ", ".join(f"`{adapter.distribution}`" for adapter in ADAPTERS if adapter.covers)
    parts.append(f"\nOne call of {covering} is one call, whatever other client it uses inside.\n\n## Not seen\n\n")
    parts += [f"- `{adapter.distribution}`: {adapter.unseen}\n" for adapter in ADAPTERS if adapter.unseen]
    return "".join(parts)


def test_the_page_is_the_adapters():
    """Run with SPANLEDGER_WRITE_DOCS=1 to write the page anew."""
    if WRITE:
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
    assert all(case.client for case in MORE_CASES)
