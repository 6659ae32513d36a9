"""All methods that are known by name: those that ship, and those that were added."""

import importlib.metadata

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.methods.catalogue import SHIPPED
from attent_tf.methods.method import Method

# Packages offer methods under this name: `name = "module:METHOD"`.
ENTRY_POINTS = "attent_tf.methods"

# In the order of tables: the later of two adaptations is the one that is shown first.
METHODS: dict[str, Method] = {method.id: method for method in SHIPPED}


def register(method: Method) -> Method:
    """Adds a method to those that are known by name, and returns it.

    Raises:
      ConfigError: there is another one of that name.
    """
    if METHODS.setdefault(method.id, method) != method:
        raise ConfigError(f"method {method.id!r}: there is another one of that name; choose another id")
    return method


def get_method(method_id: str) -> Method:
    """Returns the method of that name, which ships, was registered, or is an entry point of an installed package.

    Raises:
      ConfigError: the name is unknown; the nearest one is suggested.
    """
    if method_id in METHODS:
        return METHODS[method_id]
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=str(method_id)):
        return register(entry.load())
    hint = did_you_mean(method_id, METHODS)
    raise ConfigError(f"unknown method {method_id!r}: expected one of {', '.join(METHODS)}{hint}")
