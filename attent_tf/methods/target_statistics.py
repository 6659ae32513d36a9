"""Statistics of the target as a last stage of any method: the batch norms of S take those of target slices (AdaBN)."""

import dataclasses
from collections.abc import Sequence

from attent_tf.errors import ConfigError
from attent_tf.methods.method import Path
from attent_tf.methods.stage import Slices, Stage, View


def with_target_statistics(
    stages: Sequence[Stage], deployment: Sequence[Path]
) -> tuple[tuple[Stage, ...], tuple[Path, ...]]:
    """Appends the stage to a method: `Method(id, title, note, role, *with_target_statistics(stages, deployment))`.

    S keeps its weights; running means and variances become those of target slices, shown as on the deployed paths, in equal
    parts.

    Args:
      stages: the stages of the method.
      deployment: its paths, which end in one segmentor.

    Returns:
      The stages with one more, and the same paths.

    Raises:
      ConfigError: the paths end in several segmentors, or no stage has that network.
    """
    roles = {path.roles[-1] for path in deployment}
    holders = [(stage, part) for stage in stages for part in stage.parts if {part.role} == roles]
    if not holders:
        raise ConfigError(f"statistics of the target: expected stages with one segmentor, found {sorted(roles)}")
    holder, part = holders[-1]
    adapted = dataclasses.replace(
        part, begins_as=(holder.id, part.role), frozen=False, frozen_layers="", follows="", decay=""
    )
    stage = Stage(
        id="statistics",
        title="Statistics of the target",
        section="statistics",
        step="attent_tf.training.steps.target_statistics:TargetStatisticsStep",
        parts=(adapted,),
        inputs=(Slices("target", views=tuple(View(path.translators) for path in deployment)),),
        reads=("segmentation.backbone", "segmentation.weights", "segmentation.rates"),
    )
    return (*stages, stage), tuple(deployment)
