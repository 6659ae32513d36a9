"""Stages of the paper's methods, and of methods that differ from them only in what S is aligned on."""

from attent_tf.methods.part import (
    JUDGE_AUX,
    JUDGE_MAIN,
    JUDGE_SOURCE,
    JUDGE_TARGET,
    SEGMENTOR,
    TO_SOURCE,
    TO_TARGET,
    Part,
)
from attent_tf.methods.stage import Slices, Stage

_NETWORKS = "attent_tf.runs.configured"
_STEPS = "attent_tf.training.steps"
# What S and its supervised losses read; the rest of the section belongs to the stage of that name.
SEGMENTOR_KEYS = ("segmentation.backbone", "segmentation.weights", "segmentation.rates")
LOSS_KEYS = ("segmentation.main_weight", "segmentation.aux_weight", "segmentation.dice_weight")
_ADVERSARY_KEYS = (
    "segmentation.aligner_adversarial",
    "segmentation.entropy_channels",
    "segmentation.discriminator_filters",
    "segmentation.discriminator",
)
_ALIGNER_KEYS = (
    "segmentation.aligner_main_weight",
    "segmentation.aligner_aux_weight",
    "segmentation.aligner_warmup_steps",
    "segmentation.aligner_statistics",
    "segmentation.aligner_watch_every",
    "segmentation.aligner_watch_tolerance",
    *_ADVERSARY_KEYS,
)


def cyclegan(gated: bool) -> Stage:
    """Returns stage 1: a CycleGAN between both domains, with attention gates or without (section III-B)."""
    generator = f"{_NETWORKS}:{'gated' if gated else 'plain'}_generator"
    judge = f"{_NETWORKS}:patch_discriminator"
    return Stage(
        id="translation",
        title="Stage 1: translation",
        section="translation",
        step=f"{_STEPS}.cyclegan:CycleGanStep",
        parts=(
            Part(TO_SOURCE, generator),
            Part(TO_TARGET, generator),
            Part(JUDGE_SOURCE, judge),
            Part(JUDGE_TARGET, judge),
        ),
        inputs=(Slices("source"), Slices("target")),
        unused=() if gated else ("translation.gate_gain",),
        serves_both=True,
    )


def supervised(labelled: Slices, watched: Slices | None = None, unused: tuple[str, ...] = ()) -> Stage:
    """Returns a stage that trains S on labelled slices (Eq. 5)."""
    return Stage(
        id="segmentation",
        title="Stage 2: segmentation",
        section="segmentation",
        step=f"{_STEPS}.supervised:SupervisedStep",
        parts=(Part(SEGMENTOR, f"{_NETWORKS}:segmentor"),),
        inputs=(labelled,),
        watched=watched,
        unused=(*_ALIGNER_KEYS, *unused),
    )


def aligned(labelled: Slices, target: Slices, on: str, unused: tuple[str, ...] = ()) -> Stage:
    """Returns a stage that trains S on labelled slices while adversaries align both domains (section III-C).

    Args:
      labelled, target: the slices of both domains.
      on: what the adversaries are shown: `entropy`, `self_information`, `softmax` or `features`.
      unused: configuration keys that the stage does not read.
    """
    judge = f"{_NETWORKS}:map_discriminator"
    roles = (JUDGE_MAIN,) if on == "features" else (JUDGE_MAIN, JUDGE_AUX)
    not_read = () if on == "entropy" else ("segmentation.entropy_channels",)
    if on == "features":
        not_read = (*not_read, "segmentation.aligner_aux_weight")
    return Stage(
        id="segmentation",
        title="Stage 2: segmentation",
        section="segmentation",
        step=f"{_STEPS}.alignment:AlignmentStep",
        parts=(Part(SEGMENTOR, f"{_NETWORKS}:segmentor"), *(Part(role, judge) for role in roles)),
        inputs=(labelled, target),
        options=(("on", on),),
        unused=(*not_read, *unused),
    )


def entropy_minimised(labelled: Slices, target: Slices, unused: tuple[str, ...] = ()) -> Stage:
    """Returns a stage that trains S on labelled slices and lowers its entropy on target slices, without an adversary."""
    return Stage(
        id="segmentation",
        title="Stage 2: segmentation",
        section="segmentation",
        step=f"{_STEPS}.minent:MinEntStep",
        parts=(Part(SEGMENTOR, f"{_NETWORKS}:segmentor"),),
        inputs=(labelled, target),
        unused=(*_ADVERSARY_KEYS, *unused),
    )
