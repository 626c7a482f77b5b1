"""
What of the settings can be used, for those who must go on whatever somebody wrote there: the launcher and `doctor`.

In code, `configure` raises for the same.  A part that means nothing is named and left out; all others hold, for brakes
must not vanish because a price file is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from .config import PROTECTING, Settings
from .errors import ConfigurationError
from .hashing import check_key
from .limits import check_limits
from .pipeline import default_steps
from .pricing import check_file

__all__ = ["REFUSED", "understood"]

REFUSED: Final = "refused"
"""The kind of notes that tell what programs left out when they started."""

_CHECKS: Final[tuple[tuple[str, Callable[[Settings], Any]], ...]] = (
    ("hash_key", lambda settings: check_key(settings.hash_key, "hash_key")),
    ("hash_key_previous", lambda settings: check_key(settings.hash_key_previous, "hash_key_previous")),
    ("prices", lambda settings: check_file(settings.prices)),
    ("limits_store", lambda settings: check_limits(settings, "limits_store")),
    ("day_zone", lambda settings: check_limits(settings, "day_zone")),
    ("dialects", lambda settings: default_steps(replace(settings, policy=Settings().policy))),
    ("policy", default_steps),
)


def understood(environ: Mapping[str, str] | None = None, **given: Any) -> tuple[Settings, list[str]]:
    """The settings of *environ*, of the file and *given*, without what means nothing; and what that is."""
    settings, refused = Settings.salvage(os.environ if environ is None else environ, **given)
    for name, check in _CHECKS:
        try:
            check(settings)
        except ConfigurationError as error:  # noqa: PERF203 - each of the seven may be wrong
            refused.append(ConfigurationError(str(error), name))
            settings = replace(settings, **{name: getattr(Settings(), name)})
            if name in PROTECTING:
                settings = settings.without_content()
    said = list(dict.fromkeys(map(str, refused)))
    if any(error.key in PROTECTING for error in refused):
        said.append("until that is mended no message content, no tool arguments and no results are stored")
    return settings, said
