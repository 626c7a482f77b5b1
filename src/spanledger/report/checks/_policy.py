"""What is protected: redaction, content, arguments, results, and the key of the hashes."""

from __future__ import annotations

import os
import stat

from ... import hashing
from ...config import CONTENT_SWITCH, Settings, state_directory
from ...errors import ConfigurationError
from ._finding import Finding, Surroundings

__all__ = ["policy"]


def policy(around: Surroundings) -> list[Finding]:
    """What leaves the process and what does not."""
    settings = around.settings
    facts = {"redact": settings.redact}
    found = [
        Finding("ok", "redaction is on", facts)
        if settings.redact
        else Finding("problem", "redaction is off: values leave as they are", facts)
    ]
    stored = [
        name
        for name, on in (("arguments", settings.store_arguments), ("results", settings.store_results != "none"))
        if on
    ]
    content = settings.content != "no_content"
    text = f"message content is {'on (' + settings.content + ')' if content else 'off'} ({CONTENT_SWITCH})"
    found.append(Finding("note" if content else "ok", text, {"content": settings.content}))
    text = f"tool {' and '.join(stored)} are stored" if stored else "tool arguments and results are not stored"
    found.append(Finding("note" if stored else "ok", f"{text}; their hashes are", {"stored": stored}))
    return [*found, _key(settings)]


def _key(settings: Settings) -> Finding:
    """Where the key comes from; looking does not make one."""
    file = state_directory() / "hash.key"
    if settings.hash_key is None:
        if not file.exists():
            return Finding("note", f"no hash key yet: the first run makes {file}", {"source": None})
        if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            return Finding("problem", f"others can read the hash key: chmod 600 {file}", {"source": str(file)})
        if not os.access(file, os.R_OK):
            return Finding("problem", f"the hash key {file} can't be read: hashes do not join", {"source": str(file)})
    source = "configuration" if settings.hash_key is not None else str(file)
    try:
        key_id = hashing.Hasher(settings).key_id
    except ConfigurationError as error:
        return Finding("problem", str(error), {"source": source})
    return Finding("ok", f"hash key {key_id} from {source}", {"source": source, "key_id": key_id})
