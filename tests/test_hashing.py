"""Keyed hashes: equal values join, others do not, and nothing makes them raise."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import logging
import stat
import subprocess
import sys
import uuid
from dataclasses import dataclass
from enum import Enum

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from spanledger import hashing, shield
from spanledger.canonical import canonical, json_model, parse_json
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.hashing import Hasher

KEY = base64.b64encode(b"k" * 32).decode()
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text()
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


def make(**settings):
    return Hasher(Settings(hash_key=KEY, **settings))


def test_a_hash_names_its_key_and_algorithm():
    hasher = make()
    hashed = hasher.hash({"a": 1}, "tool-args")
    algorithm, key_id, digest = hashed.text.split(":")
    assert (algorithm, key_id, len(digest)) == ("hmac-sha256", hasher.key_id, 32)
    assert hashed.canonicalization == "jcs/1"
    assert hashed.size == len('{"a":1}')


def test_key_order_numbers_and_text_form_do_not_matter():
    hasher = make()
    wanted = hasher.hash({"b": 1.0, "a": [True, None, "ü"]}, "tool-args").text
    assert hasher.hash({"a": [True, None, "ü"], "b": 1}, "tool-args").text == wanted
    assert hasher.hash('{"b": 1, "a":[true,null,"\\u00fc"]}', "tool-args").text == wanted


def test_purposes_never_join():
    hasher = make()
    assert hasher.hash("x", "user").text != hasher.hash("x", "system").text


def test_other_keys_give_other_hashes_and_ids():
    other = Hasher(Settings(hash_key=base64.b64encode(b"o" * 32).decode()))
    assert other.key_id != make().key_id
    assert other.hash(1, "user").text.rsplit(":")[-1] != make().hash(1, "user").text.rsplit(":")[-1]


def test_arguments_that_are_no_json_are_hashed_as_they_stand():
    assert make().hash("ls -l", "tool-args").canonicalization == "raw"
    assert make().hash("ls -l", "tool-result").canonicalization == "jcs/1"


def test_what_is_too_large_is_known_by_its_size():
    hasher = make()
    assert hasher.hash("x" * (1 << 21), "tool-result").canonicalization == "size-only"
    deep: list = []
    for _ in range(40):
        deep = [deep]
    assert hasher.hash(deep, "tool-result").canonicalization == "size-only"


def test_a_cache_never_joins_what_the_model_tells_apart():
    hasher = make()
    hasher.hash([None], "user")
    assert hasher.hash([float("nan")], "user").text != hasher.hash([None], "user").text
    assert hasher.hash('["a"]', "user").text != hasher.hash(["a"], "user").text


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    when: dt.datetime


@pytest.mark.parametrize(
    ("value", "model"),
    [
        (2**53, "9007199254740992"),
        (float("inf"), "Infinity"),
        (decimal.Decimal("1.500"), "1.5"),
        (Color.RED, "red"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"ab", {"$sha256": "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603", "len": 2}),
        ({3, 1, 2}, [1, 2, 3]),
        (("a", 1), ["a", 1]),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        ("\ud800", "\\ud800"),
        (
            Point(1, dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
            {"x": 1, "when": "2026-01-02T02:00:00Z"},
        ),
        (object(), {"$type": "builtins.object"}),
    ],
)
def test_the_model_of_python_values(value, model):
    assert json_model(value) == model


def test_a_circle_ends():
    circle: dict = {}
    circle["self"] = circle
    assert json_model(circle) == {"self": {"$ref": "circular"}}


@given(TREES)
def test_canonical_bytes_are_those_of_rfc_8785(tree):
    assert canonical(tree) == rfc8785.dumps(json_model(tree))


@given(TREES)
def test_hashing_never_raises_and_is_stable(tree):
    hasher = make()
    assert hasher.hash(tree, "tool-args") == hasher.hash(tree, "tool-args") == make().hash(tree, "tool-args")


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), min_size=1))
def test_text_and_mapping_join(arguments):
    hasher = make()
    assert hasher.hash(json.dumps(arguments), "tool-args").text == hasher.hash(arguments, "tool-args").text


def test_long_integers_in_text_keep_their_digits():
    assert parse_json('{"id": 123456789012345678901234567890}') == {"id": 123456789012345678901234567890}


def test_objects_that_break_are_not_our_users_problem():
    shield.strict(on=False)

    class Bad:
        def model_dump(self, mode):
            raise RuntimeError(mode)

    assert make().hash(Bad(), "tool-args").canonicalization == "none"


def test_the_key_is_made_once_and_kept_for_the_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = Hasher(Settings())
    path = tmp_path / "spanledger" / "hash.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Hasher(Settings()).hash(1, "user") == first.hash(1, "user")
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    code = "from spanledger.hashing import Hasher; print(Hasher().key_id)"
    env = {"XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    assert len({process.communicate()[0] for process in running}) == 1


def test_where_no_key_can_be_kept_one_of_this_process_is_used(tmp_path, monkeypatch, caplog):
    (tmp_path / "spanledger").write_text("a file where a directory should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(hashing, "_said", [])
    with caplog.at_level(logging.WARNING, logger="spanledger"):
        hasher, another = Hasher(Settings()), Hasher(Settings())
    assert hasher.key_id.startswith("proc-")
    assert another.key_id.startswith("proc-")
    assert caplog.text.count("set SPANLEDGER_HASH_KEY") == 1


def test_a_key_that_is_too_short_is_an_error_that_says_what_to_do():
    with pytest.raises(ConfigurationError, match="openssl rand -base64 32"):
        Hasher(Settings(hash_key=base64.b64encode(b"short").decode()))


def test_the_process_hasher_survives_a_broken_key(monkeypatch, caplog):
    monkeypatch.setattr(hashing, "_hasher", None)
    monkeypatch.setenv("SPANLEDGER_HASH_KEY", "nonsense")
    with caplog.at_level(logging.WARNING, logger="spanledger"):
        assert hashing.hasher().key_id.startswith("proc-")
    monkeypatch.setattr(hashing, "_hasher", None)


def test_tokens_join_spellings_of_the_same_thing():
    hasher = make()
    assert hasher.token("EMAIL", "Jane@Example.com") == hasher.token("EMAIL", "jane@example.com")
    assert hasher.token("CARD", "4111 1111 1111 1111") == hasher.token("CARD", "4111-1111-1111-1111")
    assert hasher.token("EMAIL", "a@b.c") != hasher.token("PHONE", "a@b.c")
