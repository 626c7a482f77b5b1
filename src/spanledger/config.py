"""
Settings: from code, environment and an optional ``spanledger.yaml``, validated once, one object.

Order of belief: arguments of `Settings.load`, then ``SPANLEDGER_*`` variables (and the standard content switch), then
the file named by ``SPANLEDGER_CONFIG`` or ``./spanledger.yaml``, then the safe defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from .budget import ACTIONS, Budget, Loops, Refuse, Rule
from .conversions import IN_PARTS, TYPES, WANTED, chosen, names_a_tool, refuse, sensible
from .errors import ConfigurationError
from .policy import Policy, read_moment
from .private_file import state_directory
from .settings_file import settings_in
from .shield import logger
from .spelling import hint

__all__ = ["CONTENT_SWITCH", "PROTECTING", "Settings", "state_directory"]

CONTENT_SWITCH: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_CONTENT_MODES: Final = ("no_content", "span_only", "event_only", "span_and_event")
_KEYS: Final = ("email", "phone", "token", "authorization", "cookie")
_DIALECTS: Final = ("openinference", "openlit", "logfire", "langfuse")


def _name(*, env: str | None = None, choices: tuple[str, ...] = ()) -> Any:
    return {"env": env, "choices": choices}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    What spanledger does, in one place.  The defaults are the safe ones.

    Each field is a key of ``spanledger.yaml`` and, upper case behind ``SPANLEDGER_``, an environment variable.
    """

    content: str = field(default="no_content", metadata=_name(env=CONTENT_SWITCH, choices=_CONTENT_MODES))
    """Message content: ``no_content``, ``span_only``, ``event_only`` or ``span_and_event``."""
    store_arguments: bool = False
    """Whether tool arguments are stored, redacted; their hash always is."""
    store_results: str = field(default="none", metadata=_name(choices=("none", "sampled", "full")))
    """Whether tool results are stored, redacted: ``none``, ``sampled`` or ``full``; hash and size always are."""
    redact: bool = True
    """Whether values are redacted before they leave.  Turning it off is said at start and by `doctor`."""
    redact_keys: tuple[str, ...] = _KEYS
    """Keys whose values are replaced whatever they hold, besides the built-in ones."""
    policy: Policy = field(default_factory=Policy)
    """What happens to what is found, by type, key, attribute and agent; a mapping in the file, or a `Policy`."""
    capture_until: str | None = None
    """Until when raw arguments are stored, redacted, e.g. ``2026-11-20T18:00Z``: the window of an incident."""
    store_results_rate: float = 0.1
    """Of ``sampled`` results, how many are stored: 0 to 1.  Those of failures, loops and stops always are."""
    max_value_bytes: int = 65_536
    """The largest attribute value that leaves, in bytes; a larger one is cut to valid JSON that says so."""
    max_span_bytes: int = 1_000_000
    """The largest span that leaves, in bytes, about; its largest values are cut further."""
    max_batch_bytes: int = 3_500_000
    """The largest batch handed to an exporter at once, in bytes, about; gRPC receivers refuse more than 4 MiB."""
    backend: str = field(default="otlp", metadata=_name(choices=("otlp", "tempo", "jaeger", "phoenix", "grpc")))
    """Where spans go, for limits that are known by name: ``tempo`` keeps 2,048 bytes of a value."""
    dialects: tuple[str, ...] = field(default=(), metadata=_name(choices=_DIALECTS))
    """Other spellings to write beside ours: ``openinference``, ``openlit``, ``logfire``, ``langfuse``."""
    tools: tuple[str, ...] = ()
    """Callables to treat as tools, ``module:name`` or ``module:*``."""
    prices: Path | None = None
    """The file of your own prices, TOML; see the page on costs."""
    journal: Path | None = None
    """The journal's file; unset means the one in the state directory."""
    journal_off: bool = False
    """Whether to keep no journal at all."""
    journal_days: int = 30
    """How long finished runs are kept, in days."""
    hash_key: str | None = field(default=None, repr=False)
    """Base64 of at least 32 random bytes; unset means the one generated in the state directory."""
    hash_key_previous: str | None = field(default=None, repr=False)
    """The key before, while it is being replaced: hashes by both are written, so that old and new spans join."""
    propagate_runs: bool = False
    """Whether an entered run's id, step and session travel in OpenTelemetry's baggage to whatever the program calls."""
    carry_threads: bool = True
    """Whether run and step follow into threads and executors."""
    flush_seconds: float = 5.0
    """How long the program's exit may be delayed to deliver what is left."""
    implicit_run_idle_seconds: float = 900.0
    """How long a run that nobody opened may wait for its next call before it counts as abandoned."""
    agent: str | None = None
    """The agent's name for runs that nobody named."""
    agent_version: str | None = None
    """The version of the agent, for runs that were given none."""
    prompt_version: str | None = None
    """The version of the prompts, for runs that were given none."""
    metric_names: str = field(default="latest", metadata=_name(choices=("latest", "v1.41", "both")))
    """Which names the GenAI metrics have: the newest convention's, those of v1.41, or both."""
    native_spans: bool = False
    """Whether to leave the own spans of Anthropic's and xAI's clients on, and complete them."""

    budget_usd: float | None = None
    """What a run may cost, US dollars."""
    budget_tokens: int | None = None
    """How many tokens a run may use, input and output."""
    budget_steps: int | None = None
    """How many steps a run may take."""
    budget_tool_calls: int | None = None
    """How many tool calls a run may make."""
    budget_retries: int | None = None
    """How often clients may try again in a run."""
    budget_seconds: float | None = None
    """How many seconds a run may take."""
    budget_warn_at: float = 0.7
    """The share of a run's budget at which somebody is told beforehand."""
    budget_action: str = field(default="observe", metadata=_name(choices=ACTIONS))
    """What happens at a run's budget: ``observe`` records it, ``warn`` tells, ``stop`` refuses the next call."""
    budgets: tuple[Budget, ...] = ()
    """Budgets of users, sessions, agents and teams, and more of them for runs; a list of mappings in the file."""
    rules: tuple[Rule, ...] = ()
    """Which tools and models agents may use; a list of mappings in the file."""
    loops: Loops = field(default_factory=Loops)
    """What counts as a loop, and what happens then; a mapping in the file."""
    limits_store: str = "memory"
    """Where budgets are counted: ``memory``, ``sqlite``, ``sqlite:PATH`` or ``redis://HOST:PORT/DB``."""
    limits_down: str = field(default="open", metadata=_name(choices=("open", "closed")))
    """What happens to calls while that store is away: they go on (``open``) or are refused (``closed``)."""
    day_zone: str = "UTC"
    """The time zone whose midnight ends a budget's day, e.g. ``Europe/Berlin``."""

    def __post_init__(self) -> None:
        """Raise `ConfigurationError` for a moment, a share, a tool or a budget that is none."""
        if self.capture_until is not None:
            read_moment(self.capture_until)
        if not 0 <= (rate := self.store_results_rate) <= 1:
            raise ConfigurationError(f"store_results_rate is {rate}; it must be from 0 to 1", "store_results_rate")
        if bad := [name for name in self.tools if not names_a_tool(name)]:
            raise ConfigurationError(f"tools: {bad[0]!r} names no tool; write module:function or module:*", "tools")
        _ = self.own_budget

    @property
    def content_on_spans(self) -> bool:
        """Whether messages are written to spans."""
        return self.content in ("span_only", "span_and_event")

    @property
    def own_keys(self) -> tuple[str, ...]:
        """Those of `redact_keys` that somebody added to what it is by itself, or gave in its place."""
        return tuple(key for key in self.redact_keys if key not in _KEYS or not {*_KEYS} <= {*self.redact_keys})

    @property
    def own_budget(self) -> Budget | None:
        """What the fields ``budget_...`` say of each run."""
        limits = {name: getattr(self, f"budget_{name}") for name in _LIMITS}
        if all(limit is None for limit in limits.values()):
            return None
        try:
            return Budget(**limits, warn_at=self.budget_warn_at, action=self.budget_action)
        except ConfigurationError as error:
            raise ConfigurationError(str(error), f"budget_{error.key}") from error

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, file: str | Path | None = None, **given: Any) -> Settings:
        """Read file, environment and *given*, in this order of increasing belief, and validate all of it."""
        values, places = _read(os.environ if environ is None else environ, file, given, None)
        try:
            return cls(**values)
        except ConfigurationError as error:
            raise _placed(error, places) from error

    @classmethod
    def salvage(
        cls, environ: Mapping[str, str] | None = None, file: str | Path | None = None, **given: Any
    ) -> tuple[Settings, list[ConfigurationError]]:
        """
        The same, without what is wrong: every other part of it holds, of a budget too.  And what was refused.

        Where that is what to take out of values, none is stored that it might have been in.
        """
        refused: list[ConfigurationError] = []
        values, places = _read(os.environ if environ is None else environ, file, given, refused.append)
        while True:
            try:
                settings = cls(**values)
                break
            except ConfigurationError as error:
                refused.append(_placed(error, places))
                values = _without(values, error)
        return settings.without_content() if any(error.key in PROTECTING for error in refused) else settings, refused

    def without_content(self) -> Settings:
        """The same, but neither message content nor arguments nor results are stored."""
        return replace(self, content="no_content", store_arguments=False, store_results="none", capture_until=None)

    @property
    def price_table(self) -> Path:
        """Where ``spanledger prices update`` keeps the table that it fetched."""
        return state_directory() / "prices.json"

    @property
    def journal_path(self) -> Path:
        """The journal's file."""
        return self.journal or state_directory() / "journal.db"


_LIMITS: Final = ("usd", "tokens", "steps", "tool_calls", "retries", "seconds")
PROTECTING: Final = ("policy", "redact", "redact_keys", "file")
"""What decides what is taken out of values."""
_FIELDS: Final = {f.name: f for f in fields(Settings)}
_OTHER_VARIABLES: Final = frozenset({"SPANLEDGER_CONFIG"})  # with our prefix, but no setting


def _placed(error: ConfigurationError, places: Mapping[str, str]) -> ConfigurationError:
    """*error* with the place where its setting stands, which only those who read it know."""
    place = places.get(error.key or "")
    return error if place is None else ConfigurationError(f"{place}: {error}", error.key)


def _without(values: dict[str, Any], error: ConfigurationError) -> dict[str, Any]:
    """*values* without what *error* is about."""
    if error.key == "tools":
        return {**values, "tools": tuple(filter(names_a_tool, values["tools"]))}
    return {name: value for name, value in values.items() if name != error.key} if error.key in values else {}


def _read(
    environ: Mapping[str, str], file: str | Path | None, given: Mapping[str, Any], hears: Refuse | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings that somebody gave, and where each stands."""
    values: dict[str, tuple[Any, str]] = {}
    beside = "spanledger.yaml" if Path("spanledger.yaml").exists() else None
    if path := file or environ.get("SPANLEDGER_CONFIG") or beside:
        try:
            data, twice = settings_in(Path(path))
        except ConfigurationError as error:
            refuse(error, hears)
        else:
            for each in twice:
                refuse(each, hears)
            said = ((str(name), str(name), value) for name, value in data.items())
            values.update(_converted(said, str(path), hears))
    values.update(_from_environment(environ, hears))
    values.update(_converted(((name, name, value) for name, value in given.items()), "the arguments", hears))
    found = {name: value for name, (value, _) in values.items()}
    return found, {name: place for name, (_, place) in values.items()}


@cache
def _say_no_content(text: str) -> None:
    logger.warning("%s is %r; valid: %s; no content is captured", CONTENT_SWITCH, text, ", ".join(_CONTENT_MODES))


def _from_environment(environ: Mapping[str, str], hears: Refuse | None) -> dict[str, tuple[Any, str]]:
    variables = {f.metadata.get("env") or f"SPANLEDGER_{name.upper()}": name for name, f in _FIELDS.items()}
    said: list[tuple[str, str, Any]] = []
    for variable, text in environ.items():
        if variable == CONTENT_SWITCH and text.lower() not in ("", *_CONTENT_MODES):
            _say_no_content(text)
        elif name := variables.get(variable):
            if text:
                said.append((name, variable, text))
        elif variable.startswith("SPANLEDGER_") and variable not in _OTHER_VARIABLES:
            meant = CONTENT_SWITCH if variable == "SPANLEDGER_CONTENT" else variable  # the setting's name
            msg = f"unknown variable {variable}; {hint(meant, sorted({*variables, *_OTHER_VARIABLES}))}"
            refuse(ConfigurationError(msg), hears)
    return _converted(said, "", hears)


def _converted(said: Iterable[tuple[str, str, Any]], source: str, hears: Refuse | None) -> dict[str, tuple[Any, str]]:
    """What is *said*, name, spelling and value, as settings and their place; *hears* is told what is wrong."""
    found: dict[str, tuple[Any, str]] = {}
    for name, spelling, value in said:
        place = source or f"the variable {spelling}"
        try:
            found[name] = _convert(name, value, place, hears), place
        except ConfigurationError as error:
            refuse(ConfigurationError(str(error), name), hears)
            if name == "budget_action":  # neither silent, nor stopping what nobody said it should
                found[name] = "warn", place
    return found


def _convert(name: str, value: Any, source: str, hears: Refuse | None) -> Any:
    if name not in _FIELDS:
        raise ConfigurationError(f"unknown setting {name!r} in {source}; {hint(name, sorted(_FIELDS))}")
    setting, kind = _FIELDS[name], str(_FIELDS[name].type)
    try:
        if hears is not None and kind in IN_PARTS:
            return IN_PARTS[kind](value, lambda error: hears(ConfigurationError(f"{source}: {error}", error.key)))
        converted = sensible(name, TYPES[kind](value))
    except ConfigurationError as error:
        raise ConfigurationError(f"{source}: {error}") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(f"{source}: {name} is {value!r}; it must be {WANTED[kind]}") from error
    choices = setting.metadata.get("choices")
    return converted if not choices or converted is None else chosen(converted, choices, f"{source}: {name}")
