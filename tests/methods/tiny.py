"""Every method, so small that it trains in seconds; what the suite over all of them runs on."""

import itertools

from attent_tf.configs import Config, load_config
from attent_tf.methods import METHODS, Method, Stage
from tests.support.small_runs import TINY

# What a method needs beside `TINY`.
_MORE = {"feature": ("data.image_size=128",)}
# SIFA's step takes longest to trace, and test_sifa.py does it.
_TRACED_ALONE = {"sifa_v1"}
STEPS = 4


def tiny_config(method: Method) -> Config:
    """A configuration with which each stage of a method has `STEPS` steps, and meets each of its phases."""
    steps = {f"{stage.section}.steps={STEPS}" for stage in method.stages}
    return load_config("demo", [*TINY, *sorted(steps), *_MORE.get(method.id, ())])


def kinds_of_steps() -> dict[str, tuple[Method, Stage]]:
    """`method/stage` -> both, of each stage with another inner step than those of the methods before."""
    return _first_of_each(lambda stage: stage.step)


def kinds_of_stages() -> dict[str, tuple[Method, Stage]]:
    """The same, of stages that differ in step, options, networks or the keys that they read."""
    return _first_of_each(lambda stage: (stage.step, stage.options, stage.parts, stage.unused, view_options(stage)))


def view_options(stage: Stage) -> frozenset[str]:
    """The configuration keys that decide which views of a stage's slices count."""
    return frozenset(view.option for slices in stage.shown for view in slices.views if view.option)


def first_of_their_kind() -> dict[str, set[str]]:
    """Method -> names of its stages whose kind of step no method before it has."""
    found: dict[str, set[str]] = {}
    for method, stage in kinds_of_steps().values():
        found.setdefault(method.id, set()).add(stage.name)
    return found


def traced_stages(method: Method) -> set[str]:
    """Names of the stages that are traced in a run of a method: one for each kind of step."""
    return set() if method.id in _TRACED_ALONE else first_of_their_kind().get(method.id, set())


def one_for_each_kind_of_chain() -> list[str]:
    """Methods that deploy other networks in another arrangement than those before them: what is deployed is all that is read."""
    return _first_methods(
        lambda method: tuple(
            (path.roles, tuple(method.part(role).network for role in path.roles), path.weight)
            for path in method.deployment
        )
    )


def trained_whole() -> list[str]:
    """Methods of which a whole run is trained: each has other steps one after the other, or another chain, than those before it.

    What else tells methods apart is in their stages (`kinds_of_stages`).
    """
    chosen = {
        *_first_methods(lambda method: tuple(stage.step for stage in method.stages)),
        *one_for_each_kind_of_chain(),
    }
    return [name for name in METHODS if name in chosen]


def begins_like(method: Method) -> tuple[str, int]:
    """The method before it that begins with most of the same stages, and how many they are; 0 of itself where none does."""
    found = method.id, 0
    if method.id in _MORE:
        return found
    for earlier in trained_whole()[: trained_whole().index(method.id)]:
        pairs = zip(method.stages, METHODS[earlier].stages, strict=False)
        count = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        if count > found[1] and earlier not in _MORE:
            found = earlier, count
    return found


def is_interrupted(method: Method) -> bool:
    """Whether the tests stop a run of a method in its last stage: one for each kind of step, since such a run costs more."""
    return method.stages[-1].name in first_of_their_kind().get(method.id, set())


def _first_methods(kind):
    first = {}
    for method in METHODS.values():
        first.setdefault(kind(method), method.id)
    return list(first.values())


def _first_of_each(kind):
    first = {}
    for method in METHODS.values():
        for stage in method.stages:
            first.setdefault(kind(stage), (method, stage))
    return {f"{method.id}/{stage.id}": (method, stage) for method, stage in first.values()}
