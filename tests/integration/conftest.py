"""Tests against real services: collected only by `make integration`."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

import pytest

from integration.services import ROOT, Service, built

if not os.environ.get("INTEGRATION"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def examples():
    """The folder of examples, importable."""
    folder = ROOT / "examples"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def jaeger(examples, tmp_path_factory):
    """A Jaeger with its memory empty; `otlp` is where it takes spans."""
    from with_phoenix import free_ports

    program = built("jaeger")
    query, grpc, otlp = (f"127.0.0.1:{port}" for port in free_ports(3))
    command = [program, "--config", ROOT / "tests" / "integration" / "jaeger" / "jaeger.yaml"]
    places = {"QUERY_LISTEN": query, "QUERY_GRPC_LISTEN": grpc, "OTLP_LISTEN": otlp}
    folder = tmp_path_factory.mktemp("jaeger")
    with Service(command, folder, f"http://{query}", ready="/api/services", **places) as service:
        service.otlp = f"http://{otlp}"
        yield service


@pytest.fixture(scope="module")
def collector(examples, tmp_path_factory):
    """Starts the collector of `collector-config` in front of a place for traces; more of its variables by name."""
    from with_phoenix import free_ports

    program = built("otelcol")

    @contextmanager
    def started(traces, **more):
        otlp, grpc, metrics = (f"127.0.0.1:{port}" for port in free_ports(3))
        command = [program, "--config", ROOT / "collector-config" / "collector.yaml"]
        places = {"OTLP_LISTEN": otlp, "OTLP_GRPC_LISTEN": grpc, "METRICS_LISTEN": metrics, "TRACES_ENDPOINT": traces}
        folder = tmp_path_factory.mktemp("collector")
        url = f"http://{otlp}"
        with Service(command, folder, url, ready="/v1/traces", **places, DECISION_WAIT="2s", **more) as service:
            service.grpc, service.metrics = f"http://{grpc}", f"http://{metrics}/metrics"
            yield service

    return started
