"""Writes JSON as other writers (or attackers with the key) might: not as Flask does, but readable for it."""

from __future__ import annotations

import json
import random
from typing import Any


def dumps(value: Any, rng: random.Random) -> str:
    """`value` (already tagged) with random whitespace, escapes, spellings of numbers, key order and duplicates."""
    space = lambda: rng.choice(["", "", "", " ", "\n", "\t", "\r", "  "])  # noqa: E731
    if isinstance(value, dict):
        members = [(key, dumps(item, rng)) for key, item in value.items()]
        rng.shuffle(members)
        if members and rng.random() < 0.1:
            members.insert(0, (members[-1][0], rng.choice(["1", "null", '"x"'])))  # the last one counts
        inner = ",".join(f"{space()}{_text(key, rng)}{space()}:{space()}{text}{space()}" for key, text in members)
        return "{" + (inner or space()) + "}"
    if isinstance(value, list):
        return "[" + (",".join(space() + dumps(item, rng) + space() for item in value) or space()) + "]"
    if isinstance(value, str):
        return _text(value, rng)
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return rng.choice([repr(value), repr(value).upper(), f"{value:.17e}", f"{value:.25g}", f"{value:.20E}"])
    if type(value) is int and value == 0:
        return rng.choice(["0", "-0", "0.0", "-0.0", "0e5", "0E-5", "-0e+1"])
    return json.dumps(value)


def _text(value: str, rng: random.Random) -> str:
    return '"' + "".join(_character(character, rng) for character in value) + '"'


def _character(character: str, rng: random.Random) -> str:
    code = ord(character)
    must_escape = code < 0x20 or character in '"\\' or 0xD800 <= code < 0xE000
    if not must_escape and rng.random() < 0.7:
        return character
    if character == "/" and rng.random() < 0.5:
        return "\\/"
    if code > 0xFFFF:
        code -= 0x10000
        return _escape(0xD800 + (code >> 10), rng) + _escape(0xDC00 + (code & 0x3FF), rng)
    return _escape(code, rng)


def _escape(code: int, rng: random.Random) -> str:
    digits = f"{code:04x}"
    return "\\u" + (digits if rng.random() < 0.5 else digits.upper())


#: Texts behind a good signature: some load, some make Flask fail for ever.
WHOLE_PAYLOADS = [
    "null", "[]", '""', "{}", "true", "false", "0", "1.5", '"ab"', '["ab"]', '["abc"]', '[["a",1]]', '[["a",1],["a",2]]',
    '[["a",1,2]]', "[[]]", '{" t":[["a",1]]}', '{" t":[]}', '{" b":""}', '{" b":"YQ=="}', '{" d":"x"}', '{" u":"zz"}',
    '{" d":"Thu, 01 Jan 1970 00:00:00 GMT"}', '{" m":""}', '{" m":"ab"}', '{" di":{" t__":[1]}}', '{" di":{"x":1}}', "",
    " ", "{", "}", '{"a":1', '{"a":1}}', '{"a":1,}', '{"a" 1}', "{a:1}", "{'a':1}", '{"a":01}', '{"a":1.}', '{"a":.5}',
    '{"a":+1}', '{"a":- 1}', '{"a":1e400}', '{"a":-1e400}', '{"a":1e-400}', '{"a":NaN}', '{"a":-NaN}', '{"a":Infinity}',
    '{"a":-Infinity}', '{"a":nan}', '{"a":tru}', '{"a":"\t"}', '{"a":"\x00"}', '{"a":"\\x41"}', '{"a":"\\u12"}', '{"a":"',
    '{"a":"\\ud83d\\ude00"}', '{"a":"\\ud83d"}', '{"a":"\\ud83d\\u0041"}', '{"a":"\\ude00\\ud83d"}', '{"a":"\\u d83"}',
    '{"a":"\\u+123"}', '{"a":1}\n', '\ufeff{"a":1}', '{"a":1} x', '{"a":/**/1}', '{"a":1,"a":2}', '{"a":[1,]}', '{"a":[,1]}',
    '{"a":0x10}', '{"a":1_000}', '{"a":١}', '{"a":1E5}', '{"a":1e5}', '{"a":100000000000000000000}', '{"a":-0}', '{"a":1.0}',
    '{"a":1.10}', '{"a":00}', '{"a":\xa01}', '{"a":\x0c1}', '{"a":{" t":[1],"b":2}}', '{"a":{" di":{" t__":1,"x":2}}}',
    '{"_permanent":true}', '{"_permanent":true,"a":{"b":1}}', '{"a":' + "9" * 4300 + "}", '{"a":' + "9" * 4301 + "}",
    '{"a":' + "[" * 150 + "]" * 150 + "}", '{"a":' + "[" * 3000 + "]" * 3000 + "}", "[" * 100000,
]  # fmt: skip
