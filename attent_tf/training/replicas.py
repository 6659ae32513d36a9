"""Running parts of a step on every replica."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def run_and_sum(strategy: tf.distribute.Strategy, function: Callable, args: tuple) -> tuple[Any, ...]:
    """Runs `function` on every replica and sums its metrics over them; call it in cross-replica context.

    Args:
      strategy: the strategy that everything was made under.
      function: returns a tuple whose last element is a dictionary of scalars, each one replica's share.
      args: per-replica arguments.

    Returns:
      What `function` returned, each replica's own, but for the metrics, which are summed.
    """
    *rest, metrics = strategy.run(function, args=args)
    return (*rest, {name: strategy.reduce("SUM", value, axis=None) for name, value in metrics.items()})


def compiled(function: Callable, jit: bool) -> Callable:
    """Returns `function` compiled by XLA where `jit` says so.

    The gradients alone are compiled: with the exchange between replicas inside, XLA does not run under a
    `MirroredStrategy`.
    """
    return tf.function(function, autograph=False, jit_compile=True) if jit else function
