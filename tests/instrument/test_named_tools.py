"""``SPANLEDGER_TOOLS``: what it names is watched, and stays what it is."""

from __future__ import annotations

import asyncio
import copy
import functools
import importlib
import inspect
import pickle
import sys
from collections import Counter
from textwrap import dedent

import pytest

import spanledger
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.instrument._tools import TOOLS
from spanledger.notes import noted

MODULE = """
    import functools

    def plain(x, y=2):
        return x + y

    async def later(x):
        return x

    @functools.lru_cache
    def cached(x):
        return x

    class Box:
        def method(self, a):
            return a

        @functools.lru_cache
        def kept(self, a):
            return a

        @staticmethod
        @functools.lru_cache
        def still(a):
            return a

        def __call__(self, z):
            return z

    class Later:
        async def __call__(self, z):
            return z

    box = Box()
    box.colour = "red"
    soon = Later()
    part = functools.partial(plain, 1)
    SCHEMAS = [{"name": "plain", "function": {"call": plain}}]
    DATA = [plain] * 2_000
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_tools.py").write_text(dedent(MODULE), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_tools"
    for name in ("my_tools", "my_other"):
        sys.modules.pop(name, None)


@pytest.fixture
def called(provider, spans):
    def called():
        names = Counter(span.attributes["gen_ai.tool.name"] for span in spans() if span.name.startswith("execute_tool"))
        return dict(names)

    return called


def watching(provider, *names):
    return instrument(Settings(tools=tuple(f"my_tools:{name}" for name in names)), tracer_provider=provider)


def test_what_is_called_but_is_no_function_stays_what_it_is(module, provider, called):
    with watching(provider, "cached", "box", "soon", "part", "Box.kept", "Box.still"):
        tools = importlib.import_module(module)
        assert [tools.cached(1), tools.cached(1), tools.cached.cache_info().hits] == [1, 1, 1]
        assert isinstance(tools.box, tools.Box)
        assert (tools.box(4), tools.box.colour, tools.box.method(5)) == (4, "red", 5)
        assert asyncio.run(tools.soon(6)) == 6
        assert (tools.part(), tools.part.args, isinstance(tools.part, functools.partial)) == (3, (1,), True)
        assert (tools.box.kept(7), tools.Box.kept(tools.box, 7), tools.Box.still(8), tools.box.still(8)) == (7, 7, 8, 8)
        assert tools.Box.kept.cache_info().hits == 1
        for each in (tools.cached, tools.part, tools.box):
            assert pickle.loads(pickle.dumps(each)) is not None
        assert (copy.copy(tools.box).colour, copy.deepcopy(tools.box).colour) == ("red", "red")
    assert called() == {"cached": 2, "box": 1, "soon": 1, "part": 1, "kept": 2, "still": 2}
    assert type(tools.box) is tools.Box
    assert type(tools.part) is functools.partial


def test_a_class_is_refused_for_it_would_be_none_any_more(module, provider, called, caplog):
    with watching(provider, "Box", "plain") as made:
        tools = importlib.import_module(module)
        assert isinstance(tools.Box(), tools.Box)
        assert tools.plain(1) == 3
        assert made.missing == {"my_tools:Box": "a class; name its methods as in Box.METHOD"}
    assert called() == {"plain": 1}
    assert "my_tools:Box is a class; name its methods as in Box.METHOD" in caplog.text


def test_one_that_was_taken_by_its_name_before_is_watched_there_too(module, provider, called, tmp_path):
    (tmp_path / "my_other.py").write_text("from my_tools import plain\n", encoding="utf-8")
    other = importlib.import_module("my_other")
    before = other.plain
    with watching(provider, "*"):
        assert other.plain(1) == 3
        assert sys.modules[module].plain is other.plain
    assert called() == {"plain": 1}
    assert other.plain is before


def test_modules_that_import_each_other_are_watched(module, provider, called, tmp_path):
    (tmp_path / "my_tools.py").write_text("def plain(x):\n    return x\nimport my_other\n", encoding="utf-8")
    (tmp_path / "my_other.py").write_text("from my_tools import plain\n", encoding="utf-8")
    with watching(provider, "plain"):
        importlib.import_module("my_tools")
        assert sys.modules["my_other"].plain(4) == 4
    assert called() == {"plain": 1}


def test_tables_of_tools_may_be_deep_but_data_is_left_alone(module, provider, called):
    with watching(provider, "plain"):
        tools = importlib.import_module(module)
        assert tools.SCHEMAS[0]["function"]["call"](1) == 3
        assert called() == {"plain": 1}
        tools.DATA[0](1)
        assert called() == {"plain": 1}
    assert not hasattr(tools.SCHEMAS[0]["function"]["call"], "__wrapped__")


def test_what_is_no_tool_is_noted_until_it_is_one(module, provider):
    with watching(provider, "nothing", "Box.nothing", "Nothing.at_all", "plain"):
        importlib.import_module(module)
    [note] = noted(TOOLS)
    assert note["said"] == [
        f"my_tools:{name} is no such function" for name in ("nothing", "Box.nothing", "Nothing.at_all")
    ]
    with watching(provider, "plain"):
        assert noted(TOOLS) == []


def test_kinds_of_functions_are_what_they_were(module, provider):
    with watching(provider, "*"), spanledger.run("a"):
        tools = importlib.import_module(module)
        assert inspect.iscoroutinefunction(tools.later)
        assert asyncio.run(tools.later(1)) == 1
        assert str(inspect.signature(tools.plain)) == "(x, y=2)"
        assert pickle.loads(pickle.dumps(tools.plain)) is tools.plain
