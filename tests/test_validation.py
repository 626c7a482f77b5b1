from __future__ import annotations

import pytest

from spanledger.errors import ConfigurationError
from spanledger.validation import validate, validator

SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "mail": {"type": "string"}},
}


def test_a_callable_fails_by_saying_no_saying_why_or_raising():
    assert validate({"n": 1}, lambda r: r["n"] == 1) is None
    assert validate({"n": 1}, lambda r: None) is None
    assert validate({"n": 2}, lambda r: r["n"] == 1) == "the check said no"
    assert validate({"n": 2}, lambda r: "n must be 1") == "n must be 1"
    assert validate({"secret": "hunter2"}, lambda r: r["n"]) == "KeyError"


def test_a_json_schema():
    pytest.importorskip("jsonschema")
    check = validator(SCHEMA)
    assert check({"id": 7}) is None
    assert check('{"id": 7}') is None
    assert check({"mail": "a@b.c"}) == "fails required"
    assert check({"id": "hunter2"}) == "fails properties/id/type"
    assert check("not json") == "fails type"
    with pytest.raises(ConfigurationError, match="no JSON Schema"):
        validator({"type": 7})


def test_a_pydantic_model():
    pydantic = pytest.importorskip("pydantic")

    class Customer(pydantic.BaseModel):
        id: int
        extra: dict[str, int] = pydantic.Field(default_factory=dict)

    assert validate({"id": 7}, Customer) is None
    assert validate('{"id": 7}', Customer) is None
    assert validate({"id": "hunter2"}, Customer) == "int_parsing id"
    assert "hunter2" not in validate({"id": 1, "extra": {"hunter2": "x"}}, Customer)
    assert validate([1], pydantic.TypeAdapter(list[int])) is None
    assert validate(["x"], pydantic.TypeAdapter(list[int])) == "int_parsing"


def test_nothing_to_validate_by_is_an_error_at_once():
    with pytest.raises(ConfigurationError, match="must be a callable"):
        validator(7)
