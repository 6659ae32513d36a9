"""Self-training as a last stage of any method: S goes on training on target slices, which its running average labels."""

import dataclasses
from collections.abc import Sequence

from attent_tf.errors import ConfigError
from attent_tf.methods.method import Path
from attent_tf.methods.part import SEGMENTOR, TEACHER
from attent_tf.methods.stage import Slices, Stage, View
from attent_tf.methods.stages import LOSS_KEYS, SEGMENTOR_KEYS


def self_trained(
    stages: Sequence[Stage], deployment: Sequence[Path], labelled: Slices | None = None
) -> tuple[tuple[Stage, ...], tuple[Path, ...]]:
    """Appends self-training to a method: `Method(id, title, note, role, *self_trained(stages, deployment))`.

    Target slices are shown as on the deployed paths, in equal parts; the teacher labels each slice by the mean over the
    paths, and takes the place of S in the deployment.

    Args:
      stages: the stages of the method.
      deployment: its paths, which end in one segmentor.
      labelled: the labelled slices that S goes on with; by default those of the last stage that has any.

    Returns:
      The stages with one more, and the paths through the teacher.

    Raises:
      ConfigError: the paths end in several segmentors, or no stage has that network or labelled slices.
    """
    roles = {path.roles[-1] for path in deployment}
    holders = [(stage, part) for stage in stages for part in stage.parts if {part.role} == roles]
    shown = [slices for stage in stages for slices in stage.inputs if slices.labels]
    if not holders or not (labelled or shown):
        raise ConfigError(
            f"self-training: expected stages with labelled slices and one segmentor, found {sorted(roles)}"
        )
    holder, part = holders[-1]
    student = dataclasses.replace(
        part, role=SEGMENTOR, begins_as=(holder.id, part.role), frozen=False, frozen_layers="", follows="", decay=""
    )
    teacher = dataclasses.replace(
        student, role=TEACHER, begins_as=None, follows=SEGMENTOR, decay="self_training.teacher_decay"
    )
    views = tuple(View(path.translators) for path in deployment)
    stage = Stage(
        id="self_training",
        title="Self-training",
        section="self_training",
        step="attent_tf.training.steps.self_training:SelfTrainingStep",
        parts=(student, teacher),
        inputs=(labelled or shown[-1], Slices("target", views=views, labelled_by=TEACHER)),
        reads=(*SEGMENTOR_KEYS, *LOSS_KEYS, "segmentation.augmentation"),
        # Several paths are opinions enough.
        unused=("self_training.labels.gamma",) if len(views) > 1 else (),
    )
    return (*stages, stage), tuple(Path((*path.translators, TEACHER), path.weight) for path in deployment)
