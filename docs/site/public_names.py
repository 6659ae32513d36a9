"""The directive `public-names`: an entry in the reference for each public name of the package."""

import inspect
import types

from sphinx.util.docutils import SphinxDirective

import attent_tf


def public_objects() -> dict[str, object]:
    """Returns what is public by its dotted name: the names of the package, and those of its public modules."""
    found = {}
    for name in (name for name in attent_tf.__all__ if not name.startswith("__")):
        value = found[f"attent_tf.{name}"] = getattr(attent_tf, name)
        for inner in members(value) if isinstance(value, types.ModuleType) else ():
            found[f"attent_tf.{name}.{inner}"] = getattr(value, inner)
    return found


def members(module: types.ModuleType) -> list[str]:
    """Returns the public names of a module: its `__all__`, or the classes and functions that it defines."""
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return list(getattr(module, "__all__", own))


def entry(name: str, value: object) -> str:
    """Returns the reStructuredText of an entry."""
    if isinstance(value, types.ModuleType):
        lines = [f".. py:module:: {name}", "", *(inspect.getdoc(value) or "").splitlines()[:1]]
    elif inspect.isclass(value):
        lines = [f".. autoclass:: {name}", "   :members:", "   :no-undoc-members:"]
        lines[1:] = [] if _from_elsewhere(value) else lines[1:]
    elif callable(value):
        lines = [f".. autofunction:: {name}"]
    else:
        shown = f"{type(value).__name__} of {len(value)} entries" if hasattr(value, "__len__") else repr(value)
        module, _, own = name.rpartition(".")
        lines = [f".. py:data:: {own}", f"   :module: {module}", "", f"   {shown}"]
    return "\n".join(lines)


def _from_elsewhere(value: type) -> bool:
    """Whether a class has methods of Keras, whose docstrings are not ours."""
    return any(base.__module__.partition(".")[0] == "keras" for base in value.__mro__)


class PublicNames(SphinxDirective):
    """One entry for each public name."""

    def run(self) -> list:
        """Returns the entries."""
        body = "\n\n".join(entry(name, value) for name, value in public_objects().items())
        return self.parse_text_to_nodes(f"```{{eval-rst}}\n{body}\n```")


def setup(app) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
