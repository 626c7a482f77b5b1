"""
What a scripted model says: turns in order, and rules that go before them.

Neutral of any provider, so one scenario serves all of them.  See `Scenario.load` for the form of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from ..errors import ConfigurationError
from ..spelling import hint

__all__ = ["Call", "Failure", "Rule", "Scenario", "Spend", "Turn"]

FINISH: Final = ("stop", "tool_calls", "length", "content_filter")
CHARACTERS_PER_TOKEN: Final = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call that the model asks for."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The arguments as JSON text."""
        return json.dumps(self.arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What goes wrong: an HTTP *status*, or, inside a stream that began well, an error event of that kind."""

    status: int = 500
    message: str = "scripted failure"
    retry_after: float | None = None
    """Seconds, sent as the ``retry-after`` header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """
    Tokens of one answer.  *input* includes *cached* and *cache_write*; *output* includes *reasoning*.

    What is left out follows from the text: one token for every four characters, rounded up, of all that was sent
    (instructions, messages, tool results, tool definitions) or answered (text and arguments).
    """

    input: int | None = None
    output: int | None = None
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def complete(self, sent: str, answered: str) -> Spend:
        """The same with *input* and *output* filled in by the rule."""
        return Spend(
            input=tokens(sent) if self.input is None else self.input,
            output=tokens(answered) + self.reasoning if self.output is None else self.output,
            cached=self.cached,
            cache_write=self.cache_write,
            reasoning=self.reasoning,
        )


def tokens(text: str) -> int:
    """How many tokens *text* counts as here: one for every four characters, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """
    One answer of the model, or one failure to answer.

    *text* and *tool_calls* may come together.  *finish* is ``stop``, ``tool_calls``, ``length`` or ``content_filter``
    and follows from the rest when left out.  *usage* `None` means the provider says nothing about tokens.
    """

    text: str = ""
    tool_calls: tuple[Call, ...] = ()
    finish: str | None = None
    usage: Spend | None = field(default_factory=Spend)
    model: str | None = None
    """The model that answered; left out, the one that was asked for."""
    error: Failure | None = None
    """Answer with this HTTP status instead."""
    stream_error: Failure | None = None
    """Begin a stream, then send the provider's error event.  Without a stream it is `error`."""
    cut_after: int | None = None
    """Close the connection after so many events of a stream; without a stream, in the middle of the body."""
    delay: float = 0.0
    """Seconds before the answer begins."""
    chunk_delay: float = 0.0
    """Seconds between the events of a stream."""

    @property
    def answers(self) -> bool:
        """Whether the caller has an answer to go on from; a failure is something to try again."""
        return self.error is None and self.stream_error is None and self.cut_after is None

    @property
    def finish_reason(self) -> str:
        """Why the answer ends."""
        return self.finish or ("tool_calls" if self.tool_calls else "stop")

    @property
    def answered(self) -> str:
        """All that was answered, as one text; what tokens are counted by."""
        return self.text + "".join(call.name + call.text for call in self.tool_calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An answer for whoever says the right words.  All conditions that are given must hold."""

    user_contains: str | None = None
    """In the last message of the user."""
    tool_contains: str | None = None
    """In the last tool result, when the request ends on one."""
    model: str | None = None
    """The model that was asked for."""
    times: int | None = None
    """How often in one conversation; left out, always."""
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    Turns in order, for each conversation from the first one on, and *rules* that go before them.

    A conversation is known by the first message of its user.  How many answers of the model a request carries says
    which turn is next, so conversations may interleave; a turn that fails is followed by the next one at the same
    place, which is what a client that tries again gets.  Answers by rule use no turn up.
    """

    turns: tuple[Turn, ...] = ()
    rules: tuple[Rule, ...] = ()
    embedding_dimensions: int = 8

    @classmethod
    def load(cls, source: Scenario | Mapping[str, Any] | Sequence[Any] | str | Path) -> Scenario:
        """
        A scenario from Python or from a JSON or YAML file.

        A mapping has ``turns``, ``rules`` and ``embedding_dimensions``; a list is the turns alone; a turn that is a
        text says just that.  Keys are the fields of `Turn`, `Call`, `Failure`, `Spend` and `Rule`; a failure that is a
        number is its status; ``usage: null`` sends none.  Raises `ConfigurationError`, naming the place.
        """
        if isinstance(source, Scenario):
            return source
        where = "scenario"
        if isinstance(source, (str, Path)):
            where = str(source)
            source = _read(Path(source))
        if isinstance(source, Sequence) and not isinstance(source, str):
            source = {"turns": source}
        given = _checked(cls, source, where)
        turns = tuple(turn_of(item, f"{where}: turns[{n}]") for n, item in enumerate(_list(given, "turns", where)))
        rules = tuple(rule_of(item, f"{where}: rules[{n}]") for n, item in enumerate(_list(given, "rules", where)))
        return _made(cls, {**given, "turns": turns, "rules": rules}, where)


def turn_of(data: Any, where: str) -> Turn:
    """One turn from its written form."""
    if isinstance(data, Turn):
        return data
    if isinstance(data, str):
        return Turn(text=data)
    given = _checked(Turn, data, where)
    given["tool_calls"] = tuple(
        call if isinstance(call, Call) else _made(Call, _checked(Call, call, spot), spot)
        for n, call in enumerate(_list(given, "tool_calls", where))
        for spot in [f"{where}.tool_calls[{n}]"]
    )
    for key in ("error", "stream_error"):
        if given.get(key) is not None:
            given[key] = _failure(given[key], f"{where}.{key}")
    if given.get("usage") is not None and not isinstance(given["usage"], Spend):
        given["usage"] = _made(Spend, _checked(Spend, given["usage"], f"{where}.usage"), f"{where}.usage")
    if (finish := given.get("finish")) is not None and finish not in FINISH:
        raise ConfigurationError(f"{where}.finish is {finish!r}; one of: {', '.join(FINISH)}")
    return _made(Turn, given, where)


def rule_of(data: Any, where: str) -> Rule:
    """One rule from its written form."""
    if isinstance(data, Rule):
        return data
    given = _checked(Rule, data, where)
    if "turn" in given:
        given["turn"] = turn_of(given["turn"], f"{where}.turn")
    return _made(Rule, given, where)


def _failure(data: Any, where: str) -> Failure:
    if isinstance(data, Failure):
        return data
    given = {"status": data} if isinstance(data, int) else _checked(Failure, data, where)
    status = given.get("status", 500)
    if not isinstance(status, int) or not 400 <= status <= 599:  # noqa: PLR2004 - the error statuses of HTTP
        raise ConfigurationError(f"{where}.status is {status!r}; it must be from 400 to 599")
    return _made(Failure, given, where)


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"can't read the scenario {path}: {error.strerror}") from error
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"{path} is not valid JSON: {error}") from error
    import yaml  # noqa: PLC0415 - only a file needs it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from error


def _checked(kind: type, data: Any, where: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise ConfigurationError(f"{where} must be a mapping, not {type(data).__name__}")
    known = [f.name for f in fields(kind)]
    for key in data:
        if key not in known:
            raise ConfigurationError(f"{where}: unknown key {key!r}; {hint(key, known)}")
    return dict(data)


def _list(given: Mapping[str, Any], key: str, where: str) -> Sequence[Any]:
    found = given.get(key) or ()
    if isinstance(found, (str, Mapping)) or not isinstance(found, Sequence):
        raise ConfigurationError(f"{where}.{key} must be a list")
    return found


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "str": (str,), "str | None": (str, type(None)), "int": (int,), "int | None": (int, type(None)),
    "float": (int, float), "float | None": (int, float, type(None)), "Mapping[str, Any]": (Mapping,),
}  # fmt: skip


def _made(kind: type[T], given: Mapping[str, Any], where: str) -> T:
    for f in fields(kind):  # type: ignore[arg-type]
        kinds = _KINDS.get(str(f.type))
        value = given.get(f.name, None)
        if kinds and f.name in given and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise ConfigurationError(f"{where}.{f.name} is {value!r}; it must be {str(f.type).replace(' | None', '')}")
        if isinstance(value, (int, float)) and value < 0:
            raise ConfigurationError(f"{where}.{f.name} is {value!r}; it can't be negative")
        if f.name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise ConfigurationError(f"{where}: {f.name!r} is missing")
    return kind(**given)
