"""How scans become records, as data that manifests and runs keep."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from attent_tf.choices import GEOMETRIES, Geometry
from attent_tf.errors import ConfigError
from attent_tf.plain_values import StrictReader
from attent_tf.tasks import Domain, IntensityRule, rule_to_json
from attent_tf.volumes.intensity import Intensity
from attent_tf.volumes.volume import PATIENT, SLICE


@dataclasses.dataclass(frozen=True)
class PrepareOptions:
    """How scans become records.

    Attributes:
      geometry: `physical` (pixels of `pixel_mm`, centred on the body) or `resize` (the whole slice, as in the paper).
      size: rows and columns of a record.
      pixel_mm: edge of a record pixel in millimetres, for `physical`.
      slice_mm: distance of the prepared slices in millimetres; None for the slices of the scan.
      neighbours: slices on each side of a slice that its record holds as further channels (2.5-D).
      intensity: rules by names of domains; a domain that is not among them has that of the task.
    """

    geometry: Geometry = "physical"
    size: int = 256
    pixel_mm: float = 1.6
    slice_mm: float | None = None
    neighbours: int = 0
    intensity: Mapping[str, IntensityRule] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.geometry not in GEOMETRIES:
            raise ConfigError(f"geometry: expected one of {', '.join(GEOMETRIES)}, found {self.geometry!r}")
        if self.size < 1:
            raise ConfigError(f"size: expected at least 1 pixel, found {self.size}")
        if not 0 < self.pixel_mm < math.inf:
            raise ConfigError(f"pixel_mm: expected a length above 0 mm, found {self.pixel_mm}")
        if self.slice_mm is not None and not 0 < self.slice_mm < math.inf:
            raise ConfigError(f"slice_mm: expected a length above 0 mm, or none, found {self.slice_mm}")
        if self.neighbours < 0:
            raise ConfigError(f"neighbours: expected 0 or more slices on each side, found {self.neighbours}")

    @property
    def channels(self) -> int:
        """Channels of a network's input: the slice and its neighbours."""
        return 2 * self.neighbours + 1

    def intensity_rule(self, domain: Domain) -> IntensityRule:
        """The rule of a domain: the one given here, or else the task's."""
        return self.intensity.get(domain.name, domain.intensity)

    def check_space(self, space: str, where: str) -> None:
        """Refuses options that need what scans of a space do not say.

        Args:
          space: one of `SPACES`.
          where: what messages call the scans.

        Raises:
          ConfigError: millimetres are asked of an array, or more neighbours of a slice than its file holds.
        """
        if space == PATIENT:
            return
        if self.geometry != "resize":
            raise ConfigError(
                f"--geometry: expected resize, because {where} do not say how large their voxels are, found {self.geometry}"
            )
        if self.slice_mm is not None:
            raise ConfigError(
                f"--slice-mm: expected none, because {where} do not say how far slices are apart, found {self.slice_mm:g}"
            )
        if space == SLICE and self.neighbours > 1:
            raise ConfigError(
                f"--neighbours: expected 0 or 1, because {where} hold one slice on each side, found {self.neighbours}"
            )

    def with_rules(self, rules: Mapping[str, IntensityRule]) -> "PrepareOptions":
        """The same options with other intensity rules for the domains that are named."""
        return dataclasses.replace(self, intensity={**self.intensity, **rules})

    def unresolved(self) -> tuple[str, ...]:
        """Domains of `intensity` whose training cases have to be measured before any of their cases can be prepared."""
        return tuple(name for name, rule in self.intensity.items() if rule.needs_training)

    def resolved(self, intensities: Mapping[str, Intensity]) -> "PrepareOptions":
        """Puts what training cases gave in the place of the rules that ask for it.

        Args:
          intensities: by name of the domain, from `pool_statistics`. Domains whose rule asks for nothing stay as they are.

        Returns:
          Options in which those rules are windows of these raw values, so that every scan is prepared with the same.
        """
        windows = {
            name: IntensityRule("window", intensities[name].low, intensities[name].high, statistics="training")
            for name in self.unresolved()
            if name in intensities
        }
        return self.with_rules(windows)

    def to_json(self) -> dict[str, Any]:
        """The options as a JSON object; `from_json` gives equal ones back."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return content | {"intensity": {name: rule_to_json(rule) for name, rule in self.intensity.items()}}

    @classmethod
    def from_json(cls, content: Any, where: str = "preparation") -> "PrepareOptions":
        """Reads what `to_json` wrote.

        Args:
          content: the JSON object.
          where: its name in messages; empty if the caller puts one before them.

        Raises:
          ConfigError: a key is missing or unknown, or a value is not what it should be.
        """
        return _READER.read(cls, content, where)


_READER = StrictReader(complete=True)
