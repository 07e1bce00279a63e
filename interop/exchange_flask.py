"""The tool of `exchange.py`, written with ItsDangerous and Flask: proves the exchange itself, and says what is expected.

python interop/exchange.py --tool "python interop/exchange_flask.py"
"""

from __future__ import annotations

import json
import sys
from typing import Any

from itsdangerous import BadData

from differ.forge import encode
from differ.values import tagged
from exchange import Scheme

#: Each bug is a misreading of what was asked.
BUGS: dict[str, dict[str, Any]] = {
    "ignores-max-age": {"max_age": None},
    "ignores-salt": {"salt_hex": b"cookie-session".hex()},
    "knows-only-sha1": {"digest": "sha1"},
    "knows-only-hmac": {"key_derivation": "hmac"},
    "compresses-always-by-rule": {"compress": True},
}


def answer(line: dict[str, Any]) -> dict[str, Any]:
    """The answer to one line."""
    secrets = [bytes.fromhex(secret) for secret in line["secrets_hex"]]
    scheme = Scheme(secrets, bytes.fromhex(line["salt_hex"]), line["digest"], line["key_derivation"])
    serializer = scheme.serializer(line["now"])
    if line["op"] == "verify":
        try:
            loaded = serializer.loads(line["cookie"], max_age=line["max_age"])
        except (BadData, ValueError, OverflowError) as error:
            return {"ok": False, "kind": type(error).__name__}
        return {"ok": True, "tagged_json_hex": tagged.dumps(loaded).encode().hex()}
    content = tagged.dumps(tagged.loads(bytes.fromhex(line["tagged_json_hex"]).decode())).encode()
    signer = next(iter(serializer.iter_unsigners()))
    return {"ok": True, "cookie": signer.sign(encode(content, None if line["compress"] else False)).decode()}


if __name__ == "__main__":
    bug = BUGS[sys.argv[1]] if len(sys.argv) > 1 else {}
    for request in sys.stdin:
        print(json.dumps(answer(json.loads(request) | bug)), flush=True)
