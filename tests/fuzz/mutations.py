"""Ways to damage bytes and JSON, drawn from a seeded generator."""

import copy
import random
import struct
from typing import Any

_ODD_NUMBERS = (0, 1, -1, 2, 255, 256, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**63 - 1)
_ODD_FLOATS = (0.0, -0.0, 1e-45, 1e38, -1e38, 3.4e38, float("inf"), float("-inf"), float("nan"), 0.5, -1.0)
_ODD_VALUES = (
    None,
    True,
    "",
    "x",
    [],
    {},
    0,
    -1,
    1.5,
    1e308,
    10**30,
    "../x",
    "\x00",
    ["x"] * 3,
    [[1]],
    {"a": {"b": 1}},
)


def damaged_bytes(content: bytes, draw: random.Random, fields: int | None = None) -> bytes:
    """Returns `content` with one to four damages.

    Args:
      content: a valid file.
      draw: the source of chance.
      fields: length of a header at the beginning, on which half of the damages fall; None for the whole content.
    """
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        end = len(damaged) if fields is None or draw.random() < 0.5 else min(fields, len(damaged))
        place = draw.randrange(max(1, end))
        kind = draw.randrange(8)
        if kind == 0:
            damaged[place : place + 1] = bytes([draw.randrange(256)])
        elif kind == 1 and place < len(damaged):
            damaged[place] ^= 1 << draw.randrange(8)
        elif kind == 2:
            _put(damaged, place, struct.pack("<q", draw.choice(_ODD_NUMBERS))[: draw.choice((1, 2, 4, 8))])
        elif kind == 3:
            _put(damaged, place, struct.pack(draw.choice(("<f", ">f", "<d")), draw.choice(_ODD_FLOATS)))
        elif kind == 4:
            del damaged[place:]
        elif kind == 5:
            del damaged[place : place + draw.randint(1, 64)]
        elif kind == 6:
            damaged[place:place] = draw.randbytes(draw.randint(1, 64))
        else:
            other = draw.randrange(max(1, len(damaged)))
            _put(damaged, place, bytes(damaged[other : other + draw.randint(1, 32)]))
    return bytes(damaged)


def damaged_json(content: Any, draw: random.Random) -> Any:
    """Returns a copy of a JSON value in which one to three places hold something else, are gone, or are doubled."""
    damaged = copy.deepcopy(content)
    for _ in range(draw.randint(1, 3)):
        place = damaged
        while isinstance(place, (dict, list)) and place:
            key = draw.choice(list(place)) if isinstance(place, dict) else draw.randrange(len(place))
            if isinstance(place[key], (dict, list)) and place[key] and draw.random() < 0.8:
                place = place[key]
                continue
            kind = draw.randrange(4)
            if kind == 0:
                del place[key]
            elif kind == 1 and isinstance(place, list):
                place.append(copy.deepcopy(place[key]))
            elif kind == 2 and isinstance(place, dict):
                place[draw.choice(("extra", "case", "schema"))] = copy.deepcopy(place[key])
            else:
                place[key] = copy.deepcopy(draw.choice(_ODD_VALUES))
            break
    return damaged


def _put(content: bytearray, place: int, replacement: bytes) -> None:
    content[place : place + len(replacement)] = replacement[: max(0, len(content) - place)]
