"""Which keys of the configuration a method reads."""

import dataclasses

from attent_tf.configs.schema import Config
from attent_tf.methods.method import Method

# A section with a number of steps is that of stages; a method without such a stage reads none of its keys.
STAGE_SECTIONS = frozenset(
    field.name
    for field in dataclasses.fields(Config)
    if dataclasses.is_dataclass(field.type) and "steps" in {key.name for key in dataclasses.fields(field.type)}
)


def uses(method: Method, key: str) -> bool:
    """Whether a method reads a dotted configuration key: some stage of it, or those that deploy several paths `paths`.

    Other keys outside the stages' sections are read by all.
    """
    if key == "paths":
        return len(method.deployment) > 1
    readers = [stage for stage in method.stages if stage.covers(key)]
    if not readers:
        return key.split(".")[0] not in STAGE_SECTIONS
    return any(stage.uses(key) for stage in readers)
