"""Stores under test: each of them, the real thing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time

import pytest

from spanledger import pricing
from spanledger.ledger import ModelCall, Run
from spanledger.limits import MemoryStore, RedisStore, SqliteStore
from spanledger.model import Request, Usage

MODEL = "gpt-4o-mini"  # 0.15 USD per million tokens in, 0.60 out


@pytest.fixture(autouse=True)
def _no_overrides():
    yield
    pricing.forget()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A real Redis on a loopback port."""
    if (server := shutil.which("redis-server")) is None:
        pytest.skip("NOT TESTED: the Redis store, because redis-server is not installed (apt-get install redis-server)")
    pytest.importorskip("redis", reason="NOT TESTED: the Redis store, because redis-py is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = str(tmp_path_factory.mktemp("redis"))
    command = [server, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", place]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@pytest.fixture
def sqlite_store(tmp_path):
    store = SqliteStore(tmp_path / "limits.db")
    yield store
    store.close()


@pytest.fixture
def redis_store(redis_url, request):
    store = RedisStore(redis_url, prefix=request.node.name)
    yield store
    store.close()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request):
    if request.param == "memory":
        return MemoryStore()
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def run():
    return Run("r1", name="support", user_id="alice", session_id="s1", labels={"team": "care"})


@pytest.fixture
def ask():
    def ask(limits, run, *, step=1, tokens=1000, most=100, model=MODEL, provider="openai"):
        request = Request(model=model, settings={} if most is None else {"gen_ai.request.max_tokens": most})
        return limits.before_model(
            run, provider=provider, model=model, request=request, estimate_tokens=tokens, step=step
        )

    return ask


@pytest.fixture
def answered():
    def answered(*, step=1, tokens=1000, output=100, model=MODEL, error=None, usage=None):
        now = time.time_ns()
        used = usage or Usage(uncached=tokens, output=output)
        return ModelCall("chat", "openai", model, model, used, now, now, step, error_class=error)

    return answered
