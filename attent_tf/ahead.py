"""What comes next is made while what is there is in use."""

import enum
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")


class _End(enum.Enum):
    """What follows the last item."""

    END = enum.auto()


def one_ahead(
    items: Iterable[Item], meanwhile: Callable[[], object] = lambda: None, patience_s: float = 0.0
) -> Iterator[Item]:
    """Yields what `items` yields, in its order; while one is in use, another thread makes the next.

    Args:
      items: is asked by one thread at a time, and not again after it raised or ended.
      meanwhile: is called once, while the first is made, where that takes longer than `patience_s`.
      patience_s: seconds.

    Raises:
      What `items` raises, where the item would have been yielded.
    """
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, source, _End.END)
        if wait([coming], patience_s).not_done:
            meanwhile()
        while (item := coming.result()) is not _End.END:
            coming = pool.submit(next, source, _End.END)
            yield item
            # What was in use need not be held while the next one is waited for.
            del item
