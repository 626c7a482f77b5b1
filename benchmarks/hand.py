"""
The yardstick: what a careful engineer writes by hand around one client, without and with message content.

It knows one client, one shape of answer and no errors, threads, runs or metrics, and keeps the client's own message
format: a bound for what watching a call must cost at least, no product.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.trace import Span, SpanKind, Tracer


class Hand:
    """Writes one span of twelve attributes per chat; with *content* also the messages and tools, by orjson."""

    def __init__(self, tracer: Tracer, *, content: bool) -> None:
        self._tracer = tracer
        self._content = content
        if content:
            import orjson  # noqa: PLC0415 - the plain form needs none

            self._text = lambda value: orjson.dumps(value).decode()

    def attach(self, client: Any) -> None:
        """Replace `create` on this one *client*."""
        completions = client.chat.completions
        original = completions.create
        if type(client).__name__ == "AsyncOpenAI":

            async def create(**asked: Any) -> Any:
                span = self._begin(asked)
                answer = await original(**asked)
                self._end(span, answer)
                return answer
        else:

            def create(**asked: Any) -> Any:
                span = self._begin(asked)
                answer = original(**asked)
                if asked.get("stream"):
                    return self._watch(span, answer)
                self._end(span, answer)
                return answer

        completions.create = create

    def _begin(self, asked: dict[str, Any]) -> Span:
        attributes = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": asked["model"], "gen_ai.request.temperature": asked["temperature"],
            "gen_ai.request.max_tokens": asked["max_tokens"], "server.address": "model.test", "server.port": 80,
        }  # fmt: skip
        if self._content:
            attributes["gen_ai.input.messages"] = self._text(asked["messages"])
            if tools := asked.get("tools"):
                attributes["gen_ai.tool.definitions"] = self._text(tools)
        return self._tracer.start_span(f"chat {asked['model']}", kind=SpanKind.CLIENT, attributes=attributes)

    def _end(self, span: Span, answer: Any) -> None:
        reasons = [choice.finish_reason for choice in answer.choices]
        said = [self._message(choice.message) for choice in answer.choices] if self._content else None
        self._finish(span, answer, answer.usage, reasons, said)

    @staticmethod
    def _message(message: Any) -> dict[str, Any]:
        found = {"role": message.role, "content": message.content}
        if message.tool_calls:
            found["tool_calls"] = [
                {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
                for call in message.tool_calls
            ]
        return found

    def _watch(self, span: Span, stream: Any) -> Iterator[Any]:
        reasons: list[str] = []
        pieces: list[str] = []
        usage = chunk = None
        for chunk in stream:
            if chunk.usage:
                usage = chunk.usage
            for choice in chunk.choices:
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
                if self._content and choice.delta.content:
                    pieces.append(choice.delta.content)
            yield chunk
        said = [{"role": "assistant", "content": "".join(pieces)}] if self._content else None
        self._finish(span, chunk, usage, reasons, said)

    def _finish(self, span: Span, answer: Any, usage: Any, reasons: list[str], said: list[Any] | None) -> None:
        attributes = {
            "gen_ai.response.model": answer.model, "gen_ai.response.id": answer.id,
            "gen_ai.response.finish_reasons": reasons, "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
        }  # fmt: skip
        if said is not None:
            attributes["gen_ai.output.messages"] = self._text(said)
        span.set_attributes(attributes)
        span.end()
