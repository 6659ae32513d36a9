"""What a method is: its stages and its deployment."""

import dataclasses
from collections.abc import Iterable

from attent_tf.errors import ConfigError
from attent_tf.methods.part import Part
from attent_tf.methods.stage import Stage

LOWER_BOUND, ADAPTATION, UPPER_BOUND = "lower bound", "adaptation", "upper bound"


@dataclasses.dataclass(frozen=True)
class Path:
    """A path of a target slice to its segmentation.

    Attributes:
      roles: the roles of the networks that it passes through; the last one segments, those before it translate.
      weight: the weight of its probabilities where the mean over all paths is taken.
    """

    roles: tuple[str, ...]
    weight: float = 1.0

    @property
    def translators(self) -> tuple[str, ...]:
        """Roles of the networks before the last."""
        return self.roles[:-1]


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of adaptation, or a bound to compare it with: one row of a table of results.

    Attributes:
      id: name on the command line.
      title: name for people.
      note: what it does, in words.
      role: `LOWER_BOUND`, `ADAPTATION` or `UPPER_BOUND`.
      stages: the stages in the order in which they are trained.
      deployment: the paths of a target slice, whose answers become one as `Config.paths` says.

    Raises:
      ConfigError: a stage or the deployment names a network that no stage before it has; a network follows one of another
        stage, or has the encoder of a network that is not made before it; or stages share an id.
    """

    id: str
    title: str
    note: str
    role: str
    stages: tuple[Stage, ...]
    deployment: tuple[Path, ...]

    def __post_init__(self) -> None:
        earlier: set[tuple[str, str]] = set()
        for stage in self.stages:
            if stage.id in {known for known, _ in earlier}:
                raise ConfigError(f"method {self.id}: expected stages that differ in name, found {stage.id!r} twice")
            needed = [role for slices in stage.shown for view in slices.views for role in view.through]
            self._check(stage.id, needed, earlier)
            missing = {part.begins_as for part in stage.parts if part.begins_as} - earlier
            if missing:
                raise ConfigError(f"method {self.id}, stage {stage.id}: no stage before it has {sorted(missing)}")
            own = {part.follows for part in stage.parts} | {slices.labelled_by for slices in stage.inputs}
            if alien := own - {"", *stage.roles}:
                raise ConfigError(f"method {self.id}, stage {stage.id}: it has no network {sorted(alien)} of its own")
            self._check_encoders(stage)
            earlier |= {(stage.id, role) for role in stage.roles}
        self._check("deployment", [role for path in self.deployment for role in path.roles], earlier)

    def _check(self, where: str, needed: Iterable[str], earlier: set[tuple[str, str]]) -> None:
        for role in needed:
            if role not in {known for _, known in earlier}:
                raise ConfigError(f"method {self.id}, {where}: no stage before it has the network {role!r}")

    def _check_encoders(self, stage: Stage) -> None:
        made: dict[str, Part] = {}
        for part in stage.parts:
            where = f"method {self.id}, stage {stage.id}: {part.role!r} is to have the encoder of {part.encoder_of!r}"
            owner = made.get(part.encoder_of)
            if part.encoder_of and owner is None:
                raise ConfigError(f"{where}, which is no part before it")
            if owner is not None and owner.trained != part.trained:
                raise ConfigError(f"{where}, and gradients are to change one of the two alone")
            made[part.role] = part

    @property
    def labelled(self) -> str:
        """`source` or `target`: the domain from whose labels the method learns."""
        (domain,) = {slices.domain for stage in self.stages for slices in stage.inputs if slices.labels}
        return domain

    @property
    def adapts(self) -> bool:
        """Whether it learns from unlabelled scans of the target."""
        return self.role == ADAPTATION

    @property
    def translates(self) -> bool:
        """Whether a deployed path shows target slices in source style before they are segmented."""
        return any(path.translators for path in self.deployment)

    @property
    def deployed(self) -> tuple[str, ...]:
        """Roles of the deployed networks, each once, in the order of the paths."""
        return tuple(dict.fromkeys(role for path in self.deployment for role in path.roles))

    @property
    def shareable_stage(self) -> Stage | None:
        """The first stage, if other methods that begin with it, in either direction, may share its training; else None."""
        first = self.stages[0]
        return first if first.serves_both else None

    def passed_by(self, stage: Stage) -> tuple[str, ...]:
        """Roles of the earlier stages' networks that slices pass through on their way to a stage, in the order of the stages."""
        passed = {role for slices in stage.shown for view in slices.views for role in view.through}
        return tuple(dict.fromkeys(role for stage in self.stages for role in stage.roles if role in passed))

    def stage(self, stage_id: str) -> Stage:
        """Returns a stage by its id.

        Raises:
          ConfigError: the method has none of that name.
        """
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise ConfigError(f"method {self.id} has no stage {stage_id!r}; it has {', '.join(s.id for s in self.stages)}")

    def stage_of(self, role: str) -> Stage:
        """Returns the last stage that has a network of that role.

        Raises:
          ConfigError: none has.
        """
        for stage in reversed(self.stages):
            if role in stage.roles:
                return stage
        raise ConfigError(f"method {self.id} has no network {role!r}")

    def part(self, role: str) -> Part:
        """Returns the network of a role as the last stage with such a network has it; errors as for `stage_of`."""
        return next(part for part in self.stage_of(role).parts if part.role == role)
