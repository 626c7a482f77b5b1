"""Each client in each of its forms, watched."""

from __future__ import annotations

import warnings

import openai
import pytest

from clients import CASES, clients
from more_clients import MORE_CASES
from odd_clients import ODD_CASES
from spanledger.config import Settings
from spanledger.instrument import instrument
from wires import Answers


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def watching(provider):
    with instrument(Settings(content="span_only"), tracer_provider=provider) as watching:
        yield watching


@pytest.fixture
def by_name(answers, provider):
    """The synchronous clients, watched, by their names."""
    with instrument(Settings(), tracer_provider=provider):
        yield {name: pair[0] for name, pair in clients(answers).items()}


@pytest.fixture(params=CASES + MORE_CASES + ODD_CASES, ids=lambda case: case.name)
def case(request, monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    if request.param.name == "openai responses" and not hasattr(openai.OpenAI, "responses"):
        pytest.skip("this version of the client has no responses")
    if request.param.package:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip(request.param.package)
    return request.param


@pytest.fixture(params=["sync", "async"])
def asynchronous(request, case):
    if not (case.asynchronous if request.param == "async" else case.synchronous):
        pytest.skip(f"the client has no {request.param}hronous form")
    return request.param == "async"


@pytest.fixture
def made(answers, watching, case, asynchronous):
    return case.made(answers, asynchronous)


def pytest_collection_modifyitems(items):
    """LiteLLM warns of its own models, more with each pydantic: no business of ours."""
    for item in items:
        if "litellm" in item.name:
            item.add_marker(pytest.mark.filterwarnings("ignore::UserWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))
