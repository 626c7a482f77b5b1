"""
Replicate with its own client: predictions, whatever they predict.

https://github.com/replicate/replicate-python

Everything ends in one of a few methods, some of which call others.  What is waited for afterwards is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Request
from ._adapter import Adapter, Endpoint
from ._methods import methods
from ._peers import peers
from ._plain_calls import plain_call
from ._wire import fields, text_of

__all__ = ["ADAPTER"]

_PLAIN: Final = plain_call("prediction")


def _read_request(body: Any) -> Request:
    found = fields(body)
    named = next((found[key] for key in ("model", "version", "deployment") if found.get(key)), None)
    return Request(model="/".join(map(str, named)) if isinstance(named, tuple) else text_of(named) or None)


_PREDICTION: Final = Endpoint("prediction", _read_request, _PLAIN.read_response)


def _deployment(made: Any) -> Mapping[str, Any]:
    deployment = getattr(made, "_deployment", None)
    return {} if deployment is None else {"deployment": (deployment.owner, deployment.name)}


_peer = peers(lambda _: "replicate", of=lambda made: getattr(getattr(made, "_client", None), "_base_url", None))
_PLACES: Final[Mapping[str, str]] = {
    "replicate.prediction": "Predictions",
    "replicate.model": "ModelsPredictions",
    "replicate.deployment": "DeploymentsPredictions DeploymentPredictions",
    "replicate.training": "Trainings",
}

ADAPTER: Final = Adapter(
    package="replicate",
    distribution="replicate",
    oldest="1.0",
    seams=tuple(
        seam
        for module, kinds in _PLACES.items()
        for kind in kinds.split()
        for seam in methods(
            module,
            {f"{kind}.create|{kind}.async_create": _PREDICTION},
            _peer,
            positional=("version", "input") if kind == "Predictions" else (),
            given=_deployment,
        )
    ),
    covers=True,
    unseen="how long a prediction or a training ran after it was made",
)
