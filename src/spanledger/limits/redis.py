"""
One budget for a fleet: counters in Redis, one script and one round trip per decision.

All keys share a hash tag, so that they live in one slot of a cluster.  What a process held when it vanished is given
back after `HOLD_SECONDS`, by Redis's own clock.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from .store import HOLD_SECONDS, Kill, Refused, StoreDown, Want

__all__ = ["RedisStore"]

TIMEOUT_SECONDS: Final = 0.25
"""How long one answer of Redis is waited for."""

_SWEEP: Final = """
local now = tonumber(redis.call('TIME')[1])
local prefix = ARGV[1]
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 50)) do
  redis.call('ZREM', KEYS[1], member)
  for _, held in ipairs(cjson.decode(member)[2]) do
    if redis.call('EXISTS', prefix .. held[1]) == 1 then
      redis.call('HINCRBY', prefix .. held[1], held[2] .. ':held', '-' .. held[3])
    end
  end
end
"""

_RESERVE: Final = (
    _SWEEP
    + """
local targets = cjson.decode(ARGV[2])
if #targets > 0 then
  local found = redis.call('HMGET', KEYS[2], unpack(targets))
  for i = 1, #targets do
    if found[i] then return {'killed', found[i]} end
  end
end
local wants = cjson.decode(ARGV[3])
local after = {'ok'}
for i, want in ipairs(wants) do
  local row = redis.call('HMGET', prefix .. want[1], want[2], want[2] .. ':held')
  local spent, held, amount = tonumber(row[1] or '0'), tonumber(row[2] or '0'), tonumber(want[3])
  if want[4] ~= '' and spent + held + amount > tonumber(want[4]) then
    return {'refused', i - 1, row[1] or '0', row[2] or '0'}
  end
end
for i, want in ipairs(wants) do
  local key = prefix .. want[1]
  local field = want[2]
  if want[5] then field = field .. ':held' end
  redis.call('HINCRBY', key, field, want[3])
  redis.call('EXPIREAT', key, want[6])
  local row = redis.call('HMGET', key, want[2], want[2] .. ':held')
  after[#after + 1] = row[1] or '0'
  after[#after + 1] = row[2] or '0'
end
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[1], now + tonumber(ARGV[5]), ARGV[4]) end
return after
"""
)

_SETTLE: Final = """
local prefix = ARGV[1]
local ours = ARGV[2] ~= '' and redis.call('ZREM', KEYS[1], ARGV[2]) == 1
local after = {'ok'}
for _, charge in ipairs(cjson.decode(ARGV[3])) do
  local key = prefix .. charge[1]
  if ours and charge[3] ~= '0' then redis.call('HINCRBY', key, charge[2] .. ':held', '-' .. charge[3]) end
  redis.call('HINCRBY', key, charge[2], charge[4])
  redis.call('EXPIREAT', key, charge[5])
  local row = redis.call('HMGET', key, charge[2], charge[2] .. ':held')
  after[#after + 1] = row[1] or '0'
  after[#after + 1] = row[2] or '0'
end
return after
"""


class RedisStore:
    """
    Counters in the Redis at *url*, or in that of *client* (redis-py); needs the extra ``redis``.

    *prefix* keeps fleets apart that share a Redis.
    """

    shared = True

    def __init__(
        self, url: str | None = None, *, client: Any = None, prefix: str = "spanledger",
        hold_seconds: int = HOLD_SECONDS,
    ) -> None:  # fmt: skip
        self._url, self._given = url, client
        self._prefix = f"{{{prefix}}}:"
        self._hold_seconds = hold_seconds
        self._lock = threading.RLock()
        self._client: Any = None
        self._scripts: tuple[Any, Any] = (None, None)
        self._pid = 0

    def _open(self) -> Any:
        if self._client is not None and self._pid == os.getpid():
            return self._client
        with self._lock:
            import redis  # noqa: PLC0415 - the extra

            client = self._given or redis.Redis.from_url(
                self._url or "redis://127.0.0.1:6379/0", socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS, decode_responses=True,
            )  # fmt: skip
            self._scripts = (client.register_script(_RESERVE), client.register_script(_SETTLE))
            self._client, self._pid = client, os.getpid()
            return client

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        try:
            return question(self._open())
        except ImportError as error:
            raise StoreDown("Redis needs redis-py: pip install 'spanledger[redis]'") from error
        except Exception as error:  # redis-py, sockets and whatever a given client raises
            raise StoreDown(f"Redis: {type(error).__name__}: {error}") from error

    def _call(self, script: int, *arguments: Any) -> list[str]:
        keys = [self._prefix + "holds", self._prefix + "kills"]
        answer = self._ask(lambda _: self._scripts[script](keys=keys, args=[self._prefix, *arguments]))
        return [item.decode() if isinstance(item, bytes) else item for item in answer]

    def reserve(
        self, wants: Sequence[Want], targets: Sequence[str]
    ) -> tuple[Any, list[tuple[int, int]]] | Refused | Kill:
        """See `Store.reserve`."""
        held = [(*counter.name, str(amount)) for counter, amount, holds in wants if holds and amount]
        hold = _json([f"{random.getrandbits(96):x}", held]) if held else ""
        asked = [
            (*counter.name, str(amount), "" if counter.limit is None else str(counter.limit), holds, counter.expires)
            for counter, amount, holds in wants
        ]
        answer = self._call(0, _json(list(targets)), _json(asked), hold, self._hold_seconds)
        if answer[0] == "killed":
            return _kill(answer[1])
        if answer[0] == "refused":
            return Refused(int(answer[1]), int(answer[2]), int(answer[3]))
        return hold or None, _pairs(answer)

    def settle(self, hold: Any, charges: Sequence[tuple[str, str, int, int, int]]) -> list[tuple[int, int]]:
        """See `Store.settle`."""
        asked = [(key, unit, str(held), str(spent), expires) for key, unit, held, spent, expires in charges]
        return _pairs(self._call(1, hold or "", _json(asked)))

    def read(self, counters: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """See `Store.read`."""

        def ask(client: Any) -> Any:
            pipe = client.pipeline(transaction=False)
            for key, unit in counters:
                pipe.hmget(self._prefix + key, unit, unit + ":held")
            return pipe.execute()

        return [(int(spent or 0), int(held or 0)) for spent, held in self._ask(ask)]

    def killed(self, targets: Sequence[str]) -> Kill | None:
        """See `Store.killed`."""
        found = self._ask(lambda client: client.hmget(self._prefix + "kills", list(targets)))
        return next((_kill(item) for item in found if item), None)

    def kill(self, kill: Kill) -> None:
        """See `Store.kill`."""
        text = _json([kill.target, kill.by, kill.why, kill.at])
        self._ask(lambda client: client.hset(self._prefix + "kills", kill.target, text))

    def revive(self, target: str) -> bool:
        """See `Store.revive`."""
        return bool(self._ask(lambda client: client.hdel(self._prefix + "kills", target)))

    def kills(self) -> list[Kill]:
        """See `Store.kills`."""
        found = self._ask(lambda client: client.hvals(self._prefix + "kills"))
        return sorted(map(_kill, found), key=lambda kill: kill.at)

    def begin_anew(self) -> None:
        """See `Store.begin_anew`; the client is made anew when it is needed."""
        self._lock = threading.RLock()

    def close(self) -> None:
        """See `Store.close`."""
        client, self._client = self._client, None
        if client is not None and client is not self._given:
            client.close()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _kill(text: str | bytes) -> Kill:
    return Kill(*json.loads(text))


def _pairs(answer: Sequence[Any]) -> list[tuple[int, int]]:
    numbers = [int(item) for item in answer[1:]]
    return list(zip(numbers[::2], numbers[1::2], strict=True))
