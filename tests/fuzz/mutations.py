"""Valid bytes made invalid: by the byte, and by the JSON value."""

from __future__ import annotations

import json
from random import Random
from typing import Any

WORDS = [
    b"null", b"true", b"{}", b"[]", b'""', b"-1", b"1e999", b"NaN", b"18446744073709551616", b'"\\ud800"', b'"\\u0000"',
    b"\xef\xbb\xbf", b"\xff", b"\r", b"\n", b"\n\n", b"data:", b"event: error\n", b"[DONE]", b"\x00\x00\x00\x10", b",",
    b"}", b"]", b'"error":', b"[" * 1500, b'{"a":' * 1500,
]  # fmt: skip
RAW = ["1e999", "-1e999", "1" * 400, "[" * 1500 + "]" * 1500, '{"a":' * 1500 + "1" + "}" * 1500, '"\\ud800"', "NaN"]
"""What Python's JSON writer does not write, put in as it is."""
_MARK = "\u241fRAW"
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 1.5, -0.0, 1e308, 1e-320, "", "x", "0", "null", "\x00", "\ud800", "é" * 50,
    "error", "stop", "2026-01-01T00:00:00Z", [], {}, [None], [[]], [{}], {"": None}, {"type": None}, {"type": "x"}, [1, "a", None],
    {"error": {"message": 1}}, {"text": {}}, "A" * 3000, *(_MARK + str(index) for index in range(len(RAW))),
]  # fmt: skip


def mutate_bytes(random: Random, data: bytes) -> bytes:
    """Some of: a bit flipped, a piece left out, doubled, cut off or moved, a word put in."""
    for _ in range(random.choice((1, 1, 2, 4))):
        start, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
        end = min(end, start + random.choice((1, 4, 40, 4000)))
        match random.randrange(6):
            case 0 if data:
                place = random.randrange(len(data))
                data = data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]
            case 1:
                data = data[:start] + data[end:]
            case 2:
                data = data[:end] + data[start:end] + data[end:]
            case 3:
                data = data[:start]
            case 4:
                place = random.randint(0, len(data))
                data = data[:place] + data[start:end] + data[place:]
            case _:
                data = data[:start] + random.choice(WORDS) + data[start:]
    return data


def mutate_json(random: Random, data: bytes, more: tuple[Any, ...] = ()) -> bytes:
    """Values of a JSON text replaced, left out, doubled or renamed; `more` are values that may come in."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_bytes(random, data)
    for _ in range(random.choice((1, 1, 2, 5))):
        value = _mutate_value(random, value, (*VALUES, *more))
    text = json.dumps(value)
    for index, raw in enumerate(RAW):
        text = text.replace(json.dumps(_MARK + str(index)), raw)
    return text.encode()


def _mutate_value(random: Random, root: Any, values: tuple[Any, ...]) -> Any:
    places: list[tuple[Any, Any]] = [({"": root}, "")]
    open_values = [root]
    while open_values:
        value = open_values.pop()
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in pairs:
            places.append((value, key))
            open_values.append(item)
    holder, key = random.choice(places)
    kind = random.randrange(6)
    other = random.choice(places)
    new = other[0][other[1]] if kind == 0 else [holder[key]] if kind == 1 else random.choice(values)
    if kind == 2 and isinstance(holder, dict) and len(places) > 1 and holder is not places[0][0]:
        del holder[key]
    elif kind == 3 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif kind == 4 and isinstance(holder, dict) and holder is not places[0][0]:
        name = random.choice([str(place[1]) for place in places] + ["type", "error", ""])
        holder[name] = holder.pop(key)
    else:
        holder[key] = json.loads(json.dumps(new))
    return places[0][0][""]
