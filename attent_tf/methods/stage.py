"""A stage of a method: one kind of joint update, the networks that it trains, and the slices that it is shown."""

import dataclasses
from typing import Any

from attent_tf.methods.part import TO_SOURCE, Part


@dataclasses.dataclass(frozen=True)
class View:
    """How slices are shown: as they are, or after networks of earlier stages.

    Attributes:
      through: roles of the networks that slices pass, in order; empty for the slices as they are.
      option: dotted configuration key that must be true for the view to count; empty for always.
    """

    through: tuple[str, ...] = ()
    option: str = ""


@dataclasses.dataclass(frozen=True)
class Slices:
    """Training slices of one domain.

    Attributes:
      domain: `source` or `target`.
      labels: whether their labels are read.
      views: how they are shown; several views multiply the number of slices.
      labelled_by: role of the stage's network that labels them, by the mean over all views, see `training.pseudo_labels`; empty
        for none. Labels of the records are not read then.
    """

    domain: str
    labels: bool = False
    views: tuple[View, ...] = (View(),)
    labelled_by: str = ""

    @property
    def in_pairs(self) -> bool:
        """Whether a batch of them is a pair of images and labels."""
        return self.labels or bool(self.labelled_by)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage of a method: networks that are trained together.

    Attributes:
      id: its folder in a run folder, and its name on the command line.
      title: the title for people.
      section: the section of the configuration, with `steps`, `epochs` and `batch_size`.
      step: `module:class` of the inner step, a `training.steps.step.Step`.
      parts: the networks, in the order in which they are made.
      inputs: what a batch consists of, in the order of the arguments of the step's `update`.
      watched: slices that are shown in panels and checks but not trained on; None for none besides `inputs`.
      options: further arguments of the step, by name.
      reads: dotted configuration keys, or whole sections, that the stage reads besides `section`.
      unused: dotted configuration keys within these that the stage does not read; a key stands for all below it.
      serves_both: whether both domains play the same part, so that what was trained in one direction serves the other.
    """

    id: str
    title: str
    section: str
    step: str
    parts: tuple[Part, ...]
    inputs: tuple[Slices, ...]
    watched: Slices | None = None
    options: tuple[tuple[str, Any], ...] = ()
    reads: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    serves_both: bool = False

    def covers(self, key: str) -> bool:
        """Whether a dotted configuration key lies in what it reads, whether or not `unused` names it."""
        return _covers((self.section, *self.reads), key)

    def uses(self, key: str) -> bool:
        """Whether it reads a dotted configuration key."""
        return self.covers(key) and not _covers(self.unused, key)

    @property
    def name(self) -> str:
        """Its name while it runs."""
        return self.id.replace("_", "-").capitalize()

    @property
    def roles(self) -> tuple[str, ...]:
        """What its networks do."""
        return tuple(part.role for part in self.parts)

    @property
    def shown(self) -> tuple[Slices, ...]:
        """All slices that it needs, `watched` last."""
        return (*self.inputs, *((self.watched,) if self.watched else ()))

    @property
    def self_labelled(self) -> int | None:
        """Place among `inputs` of the slices that a network of the stage labels; None if there are none."""
        return next((index for index, slices in enumerate(self.inputs) if slices.labelled_by), None)

    @property
    def translated(self) -> Slices | None:
        """The unlabelled target slices that are shown to it only in source style; None if there are none."""
        for slices in self.shown:
            in_style = all(view.through[-1:] == (TO_SOURCE,) for view in slices.views)
            if slices.domain == "target" and not slices.in_pairs and in_style:
                return slices
        return None


def _covers(keys: tuple[str, ...], key: str) -> bool:
    return any(key == known or key.startswith(f"{known}.") for known in keys)
