"""Writes the first inputs of each fuzz target's corpus, from the recorded cases: `python fuzz/seeds.py`.

What the fuzzers find is added to them by `cargo xtask fuzz --merge`.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

FUZZ = Path(__file__).parent
VECTORS = FUZZ.parent / "crates/carafe-format/tests/vectors"
#: The longest input; the fuzzers make longer ones themselves.
LONGEST = 600


def rows(name: str) -> list[dict]:
    """The recorded cases of one file."""
    return [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text().splitlines()]


def tagged_json() -> Iterator[bytes]:
    """Sessions, and what isn't quite one."""
    for row in rows("flask"):
        yield row["tagged_json"].encode()
    yield from (
        b'{"a":NaN,"b":-Infinity,"c":-0.0,"d":1e400,"e":1E-5}',
        b'{"a":1,"a":2," t":[1]}',
        b'{" t":[["a",1],["b",{" u":"00000000000000000000000000000000"}]]}',
        b'{"a":"\\ud800\\udc00\\ud800","\\u00e9":"\xc3\xa9"}',
        b'[["a",1]]',
        b'["ab"]',
        b'{"a":{" d":"Sun, 06 Nov 1994 08:49:37 +0130"}}',
        b'{"a":{" d":"06 Nov 94 8:49 EST"},"b":{" m":"<b>"},"c":{" b":"AP8="}}',
        b'{" di":{" t__":[1]}}',
        b"\xef\xbb\xbf{}",
        b'{"a":' + b"9" * 30 + b',"b":' + b"[" * 60 + b"]" * 60 + b"}",
    )


def flask_codec() -> Iterator[bytes]:
    """Cookies, payloads, zlib streams and values, by the first byte."""
    for row in rows("flask"):
        if row["secrets"][-1] == "dev":
            yield b"\0" + row["cookie"].encode()
            yield b"\1" + row["cookie"].rsplit(".", 2)[0].encode()
        yield b"\3" + row["tagged_json"].encode()[:80]
    for row in rows("flask-invalid"):
        yield b"\0" + (row["cookie"] or "").encode("utf-8", "surrogatepass")
    for level, content in ((9, b'{"a":"' + b"x" * 500 + b'"}'), (0, b'{"a":1}'), (6, b"[1,2]")):
        yield b"\2" + zlib.compress(content, level)
    yield b"\2" + zlib.compress(b"0" * 70_000)


def sealed_codec() -> Iterator[bytes]:
    """Cookies, their bytes, and contents, by the first byte."""
    for row in rows("sealed")[:40]:
        yield b"\0" + row["cookie"].encode()
        yield b"\1" + base64.urlsafe_b64decode(row["cookie"] + "==")
        yield b"\2" + bytes.fromhex(row["session_hex"])


def cookie_header() -> Iterator[bytes]:
    """Cookie headers of every kind."""
    for row in rows("flask-invalid"):
        yield (row["cookie_header"] or "").encode("utf-8", "surrogatepass")
    yield from (
        b'a="b; session=c"; d',
        b'session="\\145yJ1c2VyIjoiYWRhIn0"',
        b"a=1; b=2\nc=3\n; ;;=; =x",
        b"__%48ost-session=1; Session=2; session2=3; xsession=4",
        b"session\xa0=1; \xe2\x80\x83session=2; session\t = \t3",
        b"$Version=1; session=x; $Path=/",
        b"a=\xff\xfe; =session=; session",
    )


def csrf_form() -> Iterator[bytes]:
    """Forms: their type, the size of the pieces, and a body."""
    part = b'--x-y\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    token = part % (b"csrf_token", b"TOKEN")
    bodies = [
        (b"\0", b"csrf_token=TOKEN"),
        (b"\0", b"a=b&csrf_token=TOKEN&c=d"),
        (b"\0", b"csrf_token=&csrf_token=TOKEN&csrf_token=TOKEN"),
        (b"\0", b"x" * 300 + b"&csrf_token=TOKEN"),
        (b"\0", b"csrf_token"),
        (b"\1", token + b"--x-y--\r\n"),
        (b"\1", part % (b"a", b"--x-\r\n--") + token + b"--x-y--"),
        (b"\1", part % (b'f"; filename="; name=\\"csrf_token\\"', b"\xff") + token + b"--x-y--"),
        (b"\1", b"--x-y\r\n\r\n\r\n" + token + b"--x-y"),
        (b"\1", b"--x-y--\r\n" + token),
        (b"\1", b"--x-y\r\ncontent-disposition:form-data;name=csrf_token\r\n\r\nTOKEN\r\n--x-y"),
        (b"\2", b"---\r\nContent-Disposition: form-data; name=csrf_token\r\n\r\nTOKEN\r\n-----"),
    ]
    for kind, body in bodies:
        for size in (b"\1", b"\7", b"\xff"):
            yield kind + size + body


def record() -> Iterator[bytes]:
    """Records, as docs and code have them: a version, an id, times, texts, a state and the data."""
    times = bytes.fromhex("80e2cfaa06") * 5
    for user in (b"\0", b"\1", b"\4ada"):
        for logged_in in (b"\0", b"\1", bytes.fromhex("81e2cfaa06")):
            for state in (b"\0", b"\1" + b"h" * 32 + bytes.fromhex("8ae2cfaa06"), b"\2"):
                yield b"\1" + b"p" * 16 + times + logged_in + user + b"\0\0" + state + b'{"a":1}'
    yield b"\2" + b"p" * 16
    yield b"\1" + b"p" * 16 + b"\xff" * 12


def main() -> None:
    """Adds each input that isn't there yet: a line of hexadecimal digits, in the order of the bytes."""
    for target in (tagged_json, flask_codec, sealed_codec, cookie_header, csrf_form, record):
        file = FUZZ / "corpus" / f"{target.__name__}.hex"
        lines = {data.hex(): data.hex() for data in target() if 0 < len(data) <= LONGEST}
        # Behind a space may stand what the input is.
        lines |= {line.split()[0]: line for line in file.read_text().splitlines() if line}
        file.write_text("".join(f"{lines[digits]}\n" for digits in sorted(lines)))


if __name__ == "__main__":
    main()
