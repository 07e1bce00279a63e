"""Templates that use the session and flashed messages, rendered by real Jinja under Flask and by Carafe.

    CARAFE_RENDER=target/debug/examples/render python interop/test_templates.py

Every template of the table is rendered with every session of the table, and some of them with random sessions. Both
sides must give the same text, or both an error; and leave the same session to the next request.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import sys
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from flask import Flask, render_template_string, session
from flask.json.tag import TaggedJSONSerializer
from markupsafe import Markup

from differ.values import Values
from exchange import Tool

tagged = TaggedJSONSerializer()

MOMENT = datetime(2024, 2, 29, 12, 34, 56, tzinfo=timezone.utc)

SESSIONS: list[dict[str, Any]] = [
    {},
    {"a": "Zoë & <b>Ann</b> \"'", "b": 3, "username": "admin"},
    {"a": None, "b": True, "c": False, "_permanent": True},
    {"a": 1.0, "b": 1e16, "c": -1e-5, "n": 7, "x": float("nan"), "y": float("-inf"), "z": -0.0},
    {"a": [1, "a"], "b": (1,), "c": {"a": 1}, "d": (), "l": [], "m": {}},
    {"a": Markup("<i>hi</i>"), "b": [Markup("<i>'hi'</i>"), Markup("")], "_permanent": False},
    {"a": b"it's\x00\xff", "b": [b"", b'"'], "c": {"k": b"\\\n"}},
    {"a": UUID(int=5), "b": [UUID(int=2**127)], "c": {"k": (UUID(int=0),)}},
    {"a": MOMENT, "b": [MOMENT, MOMENT.replace(second=0)], "c": {"k": MOMENT.replace(hour=0, minute=0, second=0)}},
    {"a": 10**38, "b": -(10**100), "c": [2**63, 2**64, -(2**127), 2**128 - 1, 2**128], "n": 2**53},
    {"a": {"k": {"deep": [1, {"x": ("y",)}]}, "items": 3, "e": ""}, "l": ["x", "y"], "t": (1, "a")},
    {"a": "it's", "b": ['"', "'\"", "\\\n\t\x7f\u200b😀\xa0"], "c": "   "},
    {"": "empty", "items": "shadowed", "permanent": "key", "get": 1, "é": "ä", "a b": 2},
    {"_flashes": [("message", "hi"), ("error", "<b>no</b>"), ("info", Markup("<b>yes</b>"))], "a": 1},
    {"_flashes": [("message", "the only thing here")]},
    {"_flashes": [("error", "x"), ("error", "y"), ("err", ["a", ("b",)])], "_permanent": True},
    {"_flashes": []},
    {"_permanent": 1, "a": "permanent"},
    {"_permanent": "", "a": 0},
]

#: For any session at all.
ANY: list[str] = [
    "{{ session }}",
    "{{ session.a }}|{{ session['a'] }}|{{ session.get('a') }}|{{ session.get('zz') }}|{{ session.get('zz', 'no') }}",
    "{{ session.get('a', default) }}{{ session.get('zz', none) }}{{ session.zz }}",
    "{{ 'a' in session }} {{ 'zz' in session }} {{ 'zz' not in session }} {{ '' in session }}",
    "{{ session|length }} {{ session|count }}",
    "{% for key in session %}{{ loop.index }}/{{ loop.length }} {{ key }};{% else %}nothing{% endfor %}",
    "{% for key, value in session.items() %}{{ key }}={{ value }};{% endfor %}",
    "{% for value in session.values() %}{{ loop.first }}{{ loop.last }}{{ value }}{% endfor %}",
    "{{ session.keys() }} {{ session.values() }} {{ session.items() }}",
    "{{ session.keys()|list }} {{ session.values()|list }} {{ session.items()|list }} {{ session|list }}",
    "{{ 'a' in session.keys() }} {{ session.items()|length }} {{ session.keys()|join(', ') }}",
    "{{ session.permanent }} {{ session.new }} {{ session.modified }}",
    "{% if session %}some{% else %}none{% endif %} {% if session.permanent %}for long{% endif %}",
    "{% if session.a %}true{% else %}false{% endif %}{% if not session.zz %} unset{% endif %}",
    "{{ session.a is defined }} {{ session.zz is defined }} {{ session.a is none }} {{ session.zz is undefined }}",
    "{{ session.a|e }} {{ session.a|escape }} {{ session.zz|e }} {{ session.a|e|e }}",
    "{{ session.a|string }} {{ session.b|string|length }} {{ session.c|string|e }}",
    "{{ session.a|default('none') }} {{ session.zz|default('none') }} {{ session.zz|d(session.a) }}",
    "{{ session.a or 'falsy' }} {{ session.zz or 'falsy' }} {{ session.b and session.a }}",
    "{{ [session.a, session.b] }} {{ (session.a,) }} {{ {'k': session.a} }} {{ [[session.c], ()] }}",
    "{% autoescape false %}{{ session.a }} {{ [session.a] }} {{ session.c }}{% endautoescape %}",
    "{% set a = session.a %}{{ a }}{% with b = session.b %}{{ b }}{% endwith %}",
    "{% macro show(value) %}<p>{{ value }}</p>{% endmacro %}{{ show(session.a) }}{{ show(value=session.b) }}",
    "{{ session.a == session.a }} {{ session.a == session['a'] }} {{ session.a == none }} {{ session.a == 'x' }}",
    "{{ session.a is string }} {{ session.a is mapping }} {{ session.a is true }} {{ session.a is false }}",
    "{{ session.pop('a', 'was not there') }}|{{ session.a }}|{{ session.pop('zz', none) }}|{{ session|length }}",
    "{{ session.pop('zz') }}",
    "{{ session.setdefault('a', 5) }} {{ session.setdefault('new', [1, (2,), {'k': none}]) }} {{ session.new }}",
    "{{ session.update({'a': 'new', 'n': [1.5, true]}) }}{{ session.a }}{{ session.n }}",
    "{{ session.update(a=1) }}{{ session.update() }}{{ session.modified }}",
    "{{ session.setdefault('zz') }}{{ session.setdefault('a', '<b>'|safe) }}",
    "{{ session.clear() }}{{ session }}{{ session|length }}",
    "{{ session.nonsense() }}",
    "{{ get_flashed_messages() }}{{ session.modified }}",
    "{% for message in get_flashed_messages() %}<p>{{ message }}</p>{% else %}none{% endfor %}",
    "{% for category, message in get_flashed_messages(with_categories=true) %}{{ category }}: {{ message }};{% endfor %}",
    "{% with messages = get_flashed_messages(true) %}{% if messages %}<ul>{% for c, m in messages %}<li class={{ c }}>"
    "{{ m }}{% endfor %}</ul>{% endif %}{% endwith %}",
    "{{ get_flashed_messages(category_filter=['error']) }} then {{ get_flashed_messages() }}",
    "{{ get_flashed_messages(with_categories=True, category_filter=('error', 'info')) }}",
    "{{ get_flashed_messages(False, ['message']) }} {{ get_flashed_messages(category_filter=[]) }}",
    "{{ get_flashed_messages(category_filter='error') }} {{ get_flashed_messages(category_filter='') }}",
    "{{ '_flashes' in session }} {{ get_flashed_messages()|length }} {{ '_flashes' in session }} {{ session|length }}",
    "{{ get_flashed_messages(nonsense=1) }}",
    "{% if false %}{{ get_flashed_messages() }}{% endif %}not asked for",
    "{{ url_for('index') }} {{ url_for('profile', name='Zoë/x y') }} {{ url_for('static', filename='css/a b.css') }}",
    "{{ url_for('index', a='1&2', b='x y', c=none, d=[1, 'é']) }} {{ url_for('index', _anchor='sec tion') }}",
    "{{ url_for('profile', name=session.a|string) }} {{ url_for('index', q=session.b) }}",
    "{{ url_for('nowhere') }}",
    "{{ url_for('profile') }}",
]

#: For sessions that have what these ask for; on others both sides fail, or neither does.
FITTING: list[tuple[str, dict[str, Any]]] = [
    ("{{ session.n + 1 }} {{ session.n * 2.5 }} {{ session.n // 2 }} {{ session.n > 3 }}", {"n": 7}),
    ("{{ session.x / 3 }} {{ session.x|round(2) }} {{ -session.x }} {{ session.x|int }}", {"x": 2.0}),
    ("{{ session.name|upper }} {{ session.name ~ '!' }} {{ session.name|length }}", {"name": "Zoë <"}),
    ("{{ session.name|title }} {{ session.name|replace('o', '0') }} {{ session.name[0] }}", {"name": "zoë <"}),
    ("{{ session.html ~ '<' }} {{ session.html|upper }} {{ '<' ~ session.html }}", {"html": Markup("<b>")}),
    ("{{ session.l[0] }} {{ session.l[-1] }} {{ session.l[5] }} {{ session.l|first }} {{ session.l|last }}", {"l": [1, "<"]}),
    ("{{ session.l|join(', ') }} {{ session.l|length }} {{ 1 in session.l }} {{ session.l[:1] }}", {"l": [1, "<", 1.5]}),
    ("{{ session.l|sort }} {{ session.l|sum }} {{ session.l|max }} {{ session.l + [9] }}", {"l": [3, 1, 2]}),
    ("{{ session.l == [1, 2] }} {{ session.t == (1, 2) }} {{ session.t == session.l }}", {"l": [1, 2], "t": (1, 2)}),
    ("{% for a, b in session.l %}{{ b }}{{ a }}{% endfor %}", {"l": [(1, "x"), [2, "y"]]}),
    ("{{ session.t[0] }} {{ session.t|length }} {{ session.t[1:] }} {{ session.t|list }}", {"t": (1, "a")}),
    ("{{ session.d.k }} {{ session.d['k'] }} {{ session.d.get('k') }} {{ session.d.get('x', 1) }}", {"d": {"k": "<"}}),
    ("{{ session.d.items() }} {{ session.d.keys() }} {{ session.d.values()|list }}", {"d": {"k": [1], "a": "b"}}),
    ("{% for k, v in session.d.items() %}{{ k }}{{ v }}{% endfor %}{% for k in session.d %}{{ k }}{% endfor %}", {"d": {"k": 1}}),
    ("{{ session.d|length }} {{ 'k' in session.d }} {{ session.d|dictsort }} {{ session.d is mapping }}", {"d": {"k": 1, "B": 2}}),
    ("{{ session.d == {'k': 1} }} {{ session.d|items|list }} {{ session.d.a.b.c }}", {"d": {"k": 1, "a": {"b": {"c": 5}}}}),
    ("{{ session.when }} {{ session.when.year }}-{{ session.when.month }} {{ session.when.second }}", {"when": MOMENT}),
    ("{{ session.when.isoformat() }} {{ session.when.strftime('%d.%m.%Y %H:%M') }}", {"when": MOMENT}),
    ("{{ session.when.strftime('%A %a %B %b %I %p %j %y %w %% %-d %e %c %x %X %Z %z') }}", {"when": MOMENT}),
    ("{{ session.when < session.later }} {{ session.when == session.when }}", {"when": MOMENT, "later": MOMENT.replace(year=2028)}),
    ("{{ session.id }} {{ session.id.hex }} {{ session.id.urn }} {{ session.id == session.id }}", {"id": UUID(int=77)}),
    ("{{ session.raw }} {{ session.raw|length }} {{ session.raw[0] }} {% for x in session.raw %}{{ x }},{% endfor %}", {"raw": b"<\xff"}),
    ("{{ session.big }} {{ session.big > 5 }} {{ session.big == session.big }}", {"big": 10**60}),
    ("{{ session.f }} {{ [session.f] }} {{ session.f|string }} {{ session.f|e }}", {"f": 1e-7}),
    ("{{ get_flashed_messages()[0] }} {{ get_flashed_messages(true)[0][0] }}", {"_flashes": [("c", "m")]}),
]  # fmt: skip

#: A session of more text is left out: it might not fit a cookie.
MOST = 2_500


def without_surrogates(value: Any) -> Any:
    """A value as Carafe shows it to templates: lone surrogates, which no page can hold, are U+FFFD."""
    if isinstance(value, str):
        return type(value)("".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value))
    if isinstance(value, (list, tuple)):
        return type(value)(without_surrogates(item) for item in value)
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


def assigned(value: Any) -> Any:
    """A value whose text has only characters that every version of Unicode knows: those print as they are, or not."""
    if isinstance(value, str):
        return type(value)("".join("?" if unicodedata.category(c) == "Cn" else c for c in value))
    if isinstance(value, (list, tuple)):
        return type(value)(assigned(item) for item in value)
    if isinstance(value, dict):
        return {assigned(key): assigned(item) for key, item in value.items()}
    return value


def count_keys(value: Any) -> int:
    """The number of keys of all dicts within a value."""
    if isinstance(value, dict):
        return len(value) + sum(map(count_keys, value.values()))
    return sum(map(count_keys, value)) if isinstance(value, (list, tuple)) else 0


def create_app() -> Flask:
    """The application, with the routes that templates link to."""
    app = Flask(__name__)
    app.secret_key = "dev"
    app.add_url_rule("/", "index")
    app.add_url_rule("/user/<name>", "profile")
    return app


def flask_answer(app: Flask, template: str, content: dict[str, Any]) -> dict[str, Any]:
    """Jinja's output, and the session afterwards."""
    with app.test_request_context():
        session.update(content)
        session.modified = False
        try:
            answer = {"text": render_template_string(template)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        return answer | {"session": dict(session)}


def reload(content: dict[str, Any]) -> dict[str, Any]:
    """A session as it comes out of a cookie."""
    return dict(tagged.loads(tagged.dumps(content)))


def cases(count: int, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Templates and sessions."""
    for content in SESSIONS:
        for template in ANY:
            yield template, reload(content)
    for template, fitting in FITTING:
        yield template, reload(fitting)
        yield template, reload({**fitting, "_permanent": True, "a": 1})
    rng = random.Random(f"{seed} templates")
    values = Values(rng)
    left = count
    while left:
        content = assigned(values.session())
        if "_flashes" in content:
            # Flask writes tuples, and they are printed as such.
            content["_flashes"] = [tuple(message) for message in content["_flashes"]]
        try:
            text = tagged.dumps(content)
            content = reload(content)
        except (ValueError, OverflowError, TypeError):
            continue  # one that Flask can't read
        if len(text) <= MOST and count_keys(content) == count_keys(without_surrogates(content)):
            left -= 1
            yield rng.choice(ANY), content


def same(flask: dict[str, Any], carafe: dict[str, Any]) -> bool:
    """Whether both sides gave the same text, or failed both, and left the same session."""
    if flask.get("text") != carafe.get("text"):
        return False
    return tagged.dumps(flask["session"]) == tagged.dumps(without_surrogates(carafe["session"]))


def main() -> int:
    """Runs all cases; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3_000, metavar="N", help="random sessions, with a template each")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument(
        "--tool", default=os.environ.get("CARAFE_RENDER", ""), metavar="COMMAND", help="default: $CARAFE_RENDER"
    )
    arguments = parser.parse_args()
    if not arguments.tool:
        parser.error("name the tool: $CARAFE_RENDER or --tool")
    app = create_app()
    # With an application Flask sorts the keys, as it does for cookies.
    with app.app_context():
        asked = list(cases(arguments.count, arguments.seed))
        lines = [tagged.dumps({"template": text, "session": content}).encode() + b"\n" for text, content in asked]
    tool = Tool(shlex.split(arguments.tool))
    rendered = mismatches = 0
    for (template, content), answer in zip(asked, tool.ask(lines)):
        expected = flask_answer(app, template, without_surrogates(content))
        given = tagged.loads(answer)
        rendered += "text" in expected
        with app.app_context():
            agree = same(expected, given)
        if not agree:
            mismatches += 1
            if mismatches <= 10:
                print(f"MISMATCH: {template}\n  session: {content!a}\n  Flask:   {expected!a}\n  Carafe:  {given!a}")
    if tool.close() != 0:
        print("MISMATCH: the tool ended with an error")
        mismatches += 1
    print(f"{len(asked)} templates and sessions, {rendered} of them with a page, {mismatches} mismatches")
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
