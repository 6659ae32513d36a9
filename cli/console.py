"""What every command prints with: `attent_tf.progress`, and headings."""

import sys
from contextlib import AbstractContextManager

import click

from attent_tf.progress import ConsoleObserver, Stage
from attent_tf.progress import say as say


def progress(title: str, total: int, unit: str = "steps") -> AbstractContextManager[Stage]:
    """Returns a context manager of what is told how much of `total` is done."""
    return ConsoleObserver(unit).stage(title, total, 0)


def heading(text: str) -> None:
    """Prints a line that sets off a stage of a longer command."""
    say(click.style(f"== {text}", bold=True) if sys.stdout.isatty() else f"== {text}")
