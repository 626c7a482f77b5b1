"""A decorated function takes wrong arguments as it does by itself."""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import types
import warnings

import pytest

import spanledger

early = pytest.mark.skipif(sys.version_info < (3, 11), reason="no function can seem a generator function there")
DECORATORS = {
    "run": spanledger.run, "run()": spanledger.run("named"), "tool": spanledger.tool, "tool()": spanledger.tool("named"),
    "step": lambda function: spanledger.current_run().step(function),
    "step()": lambda function: spanledger.current_run().step("named").__call__(function),
}  # fmt: skip


def plain(a, /, b=2, *, c):
    return a, b, c


def items(a, /, b=2, *, c):
    yield a, b, c


async def items_later(a, /, b=2, *, c):
    yield a, b, c


class Desk:
    def items(self, a, /, b=2, *, c):
        yield a, b, c

    def __call__(self, a, /, b=2, *, c):
        yield a, b, c


FUNCTIONS = {
    "plain": plain, "generator": items, "async generator": items_later, "method": Desk().items, "object": Desk(),
    "part": functools.partial(items, b=3),
}  # fmt: skip


@pytest.fixture
def around(spans):
    with spanledger.run("around"):
        yield


@early
@pytest.mark.parametrize(
    "wrong", [((), {}), ((1,), {}), ((1,), {"a": 1, "c": 1}), ((1, 2, 3), {"c": 1}), ((1,), {"c": 1, "d": 1})], ids=str
)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("decorator", DECORATORS)
def test_the_call_raises_what_it_raises_by_itself(decorator, function, wrong, around):
    args, kwargs = wrong
    with pytest.raises(TypeError) as without:
        FUNCTIONS[function](*args, **kwargs)
    decorated = DECORATORS[decorator](FUNCTIONS[function])
    with pytest.raises(TypeError) as found:
        decorated(*args, **kwargs)
    assert str(found.value) == str(without.value)


@pytest.mark.parametrize("decorator", DECORATORS)
def test_nothing_else_happens_at_the_call(decorator, around, spans):
    seen = []

    def told():
        seen.append(1)
        yield spanledger.current_run()

    given = DECORATORS[decorator](told)()
    assert not seen
    assert not spans()
    del given
    gc.collect()
    assert not spans()
    assert next(DECORATORS[decorator](told)()) is not None
    assert seen == [1]


@pytest.mark.parametrize("decorator", DECORATORS)
async def test_generator_functions_stay_what_they_are(decorator, around):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sync, later = DECORATORS[decorator](items), DECORATORS[decorator](items_later)
    assert inspect.isgeneratorfunction(sync)
    assert not inspect.isasyncgenfunction(sync)
    assert inspect.isasyncgenfunction(later)
    assert not inspect.isgeneratorfunction(later)
    for one, by_itself in ((sync, items), (later, items_later)):
        assert isinstance(one, types.FunctionType)
        assert inspect.signature(one) == inspect.signature(by_itself)
    given, given_later = sync(1, c=3), later(1, c=3)
    assert isinstance(given, types.GeneratorType)
    assert isinstance(given_later, types.AsyncGeneratorType)
    assert (given.__name__, given.__qualname__, given_later.__name__) == ("items", "items", "items_later")
    assert list(given) == [(1, 2, 3)]
    assert [item async for item in given_later] == [(1, 2, 3)]
