"""What is segmented, and between which domains, as data: the rest of the library takes classes and domains from here."""

import dataclasses

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.tasks.anatomy_rule import AnatomyRule
from attent_tf.tasks.domain import Domain
from attent_tf.tasks.structure import BACKGROUND, BODY, BONE, NAME, Structure

# Labels are bytes, and 255 is kept for voxels whose class nobody knows.
_MOST_STRUCTURES = 254


@dataclasses.dataclass(frozen=True)
class Task:
    """A segmentation task: its structures, and the domains that its scans come from.

    Attributes:
      name: its name, such as `abdomen`.
      title: its name for people.
      structures: its classes in the order of the channel axis, from class 1; class 0 is the background.
      domains: its domains, at least two.
      anatomy: rules that labels must follow.

    Raises:
      ConfigError: a name is used twice or unknown, a direction could be read in two ways, or there are too few structures or
        domains.
    """

    name: str
    title: str
    structures: tuple[Structure, ...]
    domains: tuple[Domain, ...]
    anatomy: tuple[AnatomyRule, ...] = ()

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ConfigError(f"name: expected small letters, digits and _, found {self.name!r}")
        if not 1 <= len(self.structures) <= _MOST_STRUCTURES:
            raise ConfigError(
                f"structures: expected from 1 to {_MOST_STRUCTURES} of them, found {len(self.structures)}"
            )
        if len(self.domains) < 2:
            raise ConfigError(f"domains: expected two or more, found {len(self.domains)}")
        for key, names in (("structures", self.structure_names), ("domains", self.domain_names)):
            if len(set(names)) < len(names):
                raise ConfigError(f"{key}: expected names that differ, found {', '.join(names)}")
        if not self.scored_names:
            raise ConfigError("structures: expected one or more that are scored, found none")
        directions = [direction for direction, _ in self._directions()]
        if len(set(directions)) < len(directions):
            raise ConfigError(f"domains: expected names that make different directions, found {', '.join(directions)}")
        for rule in self.anatomy:
            self._check_rule(rule)

    def _check_rule(self, rule: AnatomyRule) -> None:
        known = set(self.structure_names)
        named = [rule.structure] * (rule.structure != BONE) + [name for name in rule.of if rule.of != (BODY,)]
        for name in (*named, *rule.unless):
            if name not in known:
                raise ConfigError(
                    f"anatomy: {name!r} is no structure of the task{did_you_mean(name, self.structure_names)}"
                )

    @property
    def num_classes(self) -> int:
        """C: the structures and the background."""
        return len(self.structures) + 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names in the order of the channel axis of every probability map, the background first."""
        return (BACKGROUND, *self.structure_names)

    @property
    def structure_names(self) -> tuple[str, ...]:
        """Names of the classes from 1."""
        return tuple(structure.name for structure in self.structures)

    @property
    def class_weights(self) -> tuple[float, ...]:
        """Weights of the classes in losses that weigh them by hand."""
        return (1.0, *(structure.weight for structure in self.structures))

    @property
    def scored_names(self) -> tuple[str, ...]:
        """Names of the structures whose scores count in averages."""
        return tuple(structure.name for structure in self.structures if structure.scored)

    @property
    def titles(self) -> dict[str, str]:
        """Titles of the structures, by name."""
        return {structure.name: structure.title for structure in self.structures}

    @property
    def colours(self) -> dict[str, str]:
        """Colours of the structures, by name."""
        return {structure.name: structure.colour for structure in self.structures}

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Names of the domains in their order."""
        return tuple(domain.name for domain in self.domains)

    @property
    def directions(self) -> tuple[str, ...]:
        """All directions, `SOURCE2TARGET`."""
        return tuple(direction for direction, _ in self._directions())

    def _directions(self) -> list[tuple[str, tuple[str, str]]]:
        names = self.domain_names
        return [(f"{source}2{target}", (source, target)) for source in names for target in names if source != target]

    def domain(self, name: str) -> Domain:
        """Returns a domain by its name.

        Raises:
          ConfigError: the task has none of that name.
        """
        for domain in self.domains:
            if domain.name == name:
                return domain
        known = ", ".join(self.domain_names)
        raise ConfigError(
            f"task {self.name} has no domain {name!r}; it has {known}{did_you_mean(name, self.domain_names)}"
        )

    def source_and_target(self, direction: str) -> tuple[str, str]:
        """Returns the names of the domains of a direction such as `mri2ct`.

        Raises:
          ConfigError: the task has no such direction.
        """
        directions = dict(self._directions())
        if direction not in directions:
            near = did_you_mean(direction, directions)
            raise ConfigError(f"unknown direction {direction!r}: expected one of {', '.join(directions)}{near}")
        return directions[direction]
