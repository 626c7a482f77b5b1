"""
Whether a tool's result is what it should be, although the call came back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ConfigurationError

__all__ = ["validate", "validator"]


def validator(spec: Any) -> Callable[[Any], str | None]:
    """
    What `validate` does for *spec*, made ready once; `ConfigurationError` when *spec* is nothing to validate by.

    *spec* is a pydantic model or type adapter, a JSON Schema (a mapping; needs jsonschema), or a callable on the
    result: it fails by returning `False` or a text that says why, or by raising.
    """
    if isinstance(spec, Mapping):
        return _by_schema(spec)
    for name in ("model_validate", "validate_python"):
        if callable(check := getattr(spec, name, None)):
            return _by_raising(check, frozenset(getattr(spec, "model_fields", ())))
    if callable(spec):
        return _by_calling(spec)
    raise ConfigurationError(f"validate is {spec!r}; it must be a callable, a pydantic model or a JSON Schema")


def validate(result: Any, spec: Any) -> str | None:
    """Why *result* is not what *spec* asks for, without any of its content; `None` when it is."""
    return validator(spec)(result)


def _by_schema(schema: Mapping[str, Any]) -> Callable[[Any], str | None]:
    try:
        import jsonschema  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - theirs to install
    except ImportError as error:
        raise ConfigurationError("validate by JSON Schema needs jsonschema: pip install jsonschema") from error
    kind = jsonschema.validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ConfigurationError(f"validate is no JSON Schema: {error.message}") from error
    checker = kind(schema)

    def check(result: Any) -> str | None:
        found = jsonschema.exceptions.best_match(checker.iter_errors(_as_data(result)))
        return None if found is None else "fails " + "/".join(map(str, found.absolute_schema_path))

    return check


def _as_data(result: Any) -> Any:
    """What a text that holds a JSON object or array says; anything else as it is."""
    if isinstance(result, str) and result.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(result)
        except ValueError:
            return result
    return result


def _by_raising(parse: Callable[[Any], Any], names: frozenset[str]) -> Callable[[Any], str | None]:
    def check(result: Any) -> str | None:
        try:
            parse(_as_data(result))
        except Exception as error:  # noqa: BLE001 - whatever says that it is not valid
            return _said(error, names)
        return None

    return check


def _by_calling(function: Callable[[Any], Any]) -> Callable[[Any], str | None]:
    def check(result: Any) -> str | None:
        try:
            answer = function(result)
        except Exception as error:  # noqa: BLE001
            return _said(error)
        if answer is False:
            return "the check said no"
        return answer if isinstance(answer, str) and answer else None

    return check


def _said(error: Exception, names: frozenset[str] = frozenset()) -> str:
    if not callable(details := getattr(error, "errors", None)):
        return type(error).__name__
    try:  # pydantic: its text would quote the result, and its places may be the result's own keys
        found = details(include_input=False, include_url=False)
        return ", ".join(
            f"{e['type']} {e['loc'][0]}" if e["loc"][:1] and e["loc"][0] in names else e["type"] for e in found[:3]
        )
    except Exception:  # noqa: BLE001 - an `errors` of another kind
        return type(error).__name__
