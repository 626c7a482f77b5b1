"""
A support agent as people write them: a prompt, four tools, a loop.  It has never heard of spanledger.

    OPENAI_API_KEY=...  python support_agent.py [--stream]

`OPENAI_BASE_URL` and `OPENAI_MODEL` choose another provider and model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

import support_tools
from openai import OpenAI

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
MAX_TURNS = 12

INSTRUCTIONS = """You are the support agent of a shop for office machines. Look the customer up, find the order, check
the help pages for our policy, answer by e-mail, then sum up in one sentence what you did. The order search is busy
at times: if it refuses, try again with another query, at most five times. Never repeat card numbers or keys."""

# All of it invented, all of it in the form that real people paste. The key stands in two pieces so that nobody's
# secret scanner takes this file for a leak.
TICKET = (
    "Hello, you charged me twice for the same label printer! I am dana.whitfield@northgate-print.co.uk, you can also "
    "ring me at +44 20 7946 0958. The card was 4539 1488 0343 6467. Our web shop uses your API with the key "
    "sk_live_" + "51Hx9QmT2vKc8RbW4nZp7YdLs in case you need to look into it. Please give me my money back. Dana"
)

PARAMETERS = {
    "lookup_customer": {"email": "The customer's e-mail address."},
    "search_orders": {"query": "What to look for: customer id, item, order number, dates."},
    "search_help_pages": {"topic": "What the page is about."},
    "send_email": {"to": "The recipient.", "subject": "One line.", "body": "The whole text."},
}


def described(name: str) -> dict:
    """A tool as the model sees it."""
    properties = {key: {"type": "string", "description": text} for key, text in PARAMETERS[name].items()}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    function = {"name": name, "description": support_tools.TOOLS[name].__doc__, "parameters": schema}
    return {"type": "function", "function": function}


def ask(client: OpenAI, messages: list, tools: list, stream: bool):
    """One answer of the model, in one piece or as it is written."""
    asked = {"model": MODEL, "messages": messages, "tools": tools}
    if not stream:
        return client.chat.completions.create(**asked).choices[0].message
    with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as events:
        for event in events:
            if event.type == "content.delta":
                print(event.delta, end="", flush=True)
        answer = events.get_final_completion().choices[0].message
        if answer.content:
            print()
        return answer


def use(call) -> str:
    """What a tool says, as the model gets to read it."""
    try:
        result = support_tools.TOOLS[call.function.name](**json.loads(call.function.arguments))
    except Exception as error:  # noqa: BLE001 - the model gets to know whatever it is
        result = {"error": str(error)}
    return json.dumps(result)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--stream", action="store_true", help="print the answer while it is written")
    stream = parser.parse_args().stream
    client = OpenAI()
    tools = [described(name) for name in PARAMETERS]
    messages: list = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": TICKET}]
    for _ in range(MAX_TURNS):
        answer = ask(client, messages, tools, stream)
        messages.append(answer.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True))
        if not answer.tool_calls:
            if not stream:
                print(answer.content)
            return 0
        messages += [{"role": "tool", "tool_call_id": call.id, "content": use(call)} for call in answer.tool_calls]
    print(f"gave up after {MAX_TURNS} turns", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
