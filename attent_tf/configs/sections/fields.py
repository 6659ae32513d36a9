"""Fields of configurations that say what their numbers may be, beyond the type."""

import dataclasses
from typing import Any


def at_least_1(default: int) -> Any:
    """A field that holds a number of at least 1."""
    return dataclasses.field(default=default, metadata={"least": 1})
