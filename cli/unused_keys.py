"""Settings that a user gave and that the chosen methods do not read are reported, not ignored."""

from collections.abc import Sequence

from attent_tf.methods import get_method
from cli.console import say


def tell_unused(methods: Sequence[str], config: str, overrides: Sequence[str]) -> None:
    """Says which keys of a user's own configuration and of `--set` change nothing.

    Args:
      methods: ids of the methods that are trained.
      config: name or file of the configuration.
      overrides: of `--set`.

    Raises:
      ConfigError: a method is unknown.
    """
    from attent_tf.configs import given_keys, uses

    chosen = [get_method(method) for method in methods]
    unused = [key for key in given_keys(config, overrides) if not any(uses(method, key) for method in chosen)]
    if unused:
        say(f"Warning: {', '.join(unused)}: not used by {', '.join(methods)}")
