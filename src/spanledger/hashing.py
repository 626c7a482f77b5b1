"""stub"""
from __future__ import annotations
import hashlib, json
from dataclasses import dataclass
@dataclass(frozen=True)
class Hashed:
    text: str
    canonicalization: str = "jcs/1"
class H:
    key_id = "k"
    def hash(self, v, purpose):
        if isinstance(v, str):
            try: v=json.loads(v)
            except ValueError: pass
        return Hashed("hmac-sha256:k:"+hashlib.sha256(json.dumps(v,sort_keys=True,default=str).encode()).hexdigest()[:32])
_h=H()
def hasher(): return _h
def to_json(v): return json.dumps(v, default=str)
