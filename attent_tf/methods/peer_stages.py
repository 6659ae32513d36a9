"""Stages of SynSeg-Net, CyCADA and PnP-AdaNet with the library's own networks, so that methods can be compared; and of
SIFA."""

import dataclasses

from attent_tf.methods.part import (
    CLASSIFIER,
    JUDGE_AUX,
    JUDGE_FEATURES,
    JUDGE_MAIN,
    JUDGE_MASKS,
    JUDGE_SOURCE,
    JUDGE_TARGET,
    SEGMENTOR,
    SOURCE_DECODER,
    SOURCE_SEGMENTOR,
    TO_TARGET,
    Part,
)
from attent_tf.methods.stage import Slices, Stage
from attent_tf.methods.stages import LOSS_KEYS, SEGMENTOR_KEYS

_NETWORKS = "attent_tf.runs.configured"
_SIFA = "attent_tf.runs.configured_sifa"
_STEPS = "attent_tf.training.steps"
_S = f"{_NETWORKS}:segmentor"
_LABELLED, _TARGET = Slices("source", labels=True), Slices("target")
_SEMANTIC_KEYS = ("cycada.semantic_weight", "cycada.semantic_gate", "cycada.classifier")


def end_to_end(translation: Stage) -> Stage:
    """Returns SynSeg-Net's only stage: the networks of a stage that translates, and S trained on translated source slices.

    Args:
      translation: a CycleGAN's.
    """
    return dataclasses.replace(
        translation,
        id="joint",
        title="Translation and segmentation",
        section="synseg",
        step=f"{_STEPS}.synseg:SynSegStep",
        parts=(*translation.parts, Part(SEGMENTOR, _S)),
        inputs=(_LABELLED, _TARGET),
        reads=("translation", *SEGMENTOR_KEYS, *LOSS_KEYS),
        unused=(*translation.unused, "translation.steps", "translation.epochs", "translation.batch_size"),
        serves_both=False,
    )


def semantic(translation: Stage) -> Stage:
    """Returns a stage that translates, with CyCADA's classifier, whose answers translations must preserve.

    Args:
      translation: a CycleGAN's.
    """
    return dataclasses.replace(
        translation,
        step=f"{_STEPS}.semantic_cyclegan:SemanticCycleGanStep",
        parts=(*translation.parts, Part(CLASSIFIER, _S)),
        inputs=(_LABELLED, _TARGET),
        reads=(*_SEMANTIC_KEYS, *SEGMENTOR_KEYS, *LOSS_KEYS),
        serves_both=False,
    )


def score_adaptation(labelled: Slices, target: Slices) -> Stage:
    """Returns CyCADA's last stage: the trained S, whose scores are aligned between the domains.

    Args:
      labelled, target: the slices of both domains.
    """
    return Stage(
        id="adaptation",
        title="Stage 3: adaptation of scores",
        section="cycada",
        step=f"{_STEPS}.score_adaptation:ScoreAdaptationStep",
        parts=(
            Part(SEGMENTOR, _S, begins_as=("segmentation", SEGMENTOR)),
            Part(JUDGE_MAIN, f"{_NETWORKS}:pixel_discriminator"),
        ),
        inputs=(labelled, target),
        reads=(*SEGMENTOR_KEYS, *LOSS_KEYS, "segmentation.augmentation"),
        unused=_SEMANTIC_KEYS,
    )


def balanced(stage: Stage) -> Stage:
    """Returns a stage that trains S on labelled slices with PnP-AdaNet's losses.

    Args:
      stage: the stage that trains S on labelled slices.
    """
    return dataclasses.replace(
        stage,
        step=f"{_STEPS}.balanced:BalancedStep",
        reads=(*stage.reads, "pnp_adanet.segmentor"),
        unused=(*stage.unused, "segmentation.segmentor"),
    )


def plug_and_play() -> Stage:
    """Returns PnP-AdaNet's last stage: early layers for the target below the upper layers of the source."""
    trained = ("segmentation", SEGMENTOR)
    return Stage(
        id="adaptation",
        title="Stage 2: adaptation of early layers",
        section="pnp_adanet",
        step=f"{_STEPS}.plug_and_play:PlugAndPlayStep",
        parts=(
            Part(SEGMENTOR, _S, begins_as=trained, frozen_layers="upper_layers"),
            Part(SOURCE_SEGMENTOR, _S, begins_as=trained, frozen=True),
            Part(JUDGE_FEATURES, f"{_NETWORKS}:feature_critic"),
            Part(JUDGE_MASKS, f"{_NETWORKS}:mask_critic"),
        ),
        inputs=(Slices("source"), _TARGET),
        reads=SEGMENTOR_KEYS,
        unused=("pnp_adanet.segmentor",),
    )


def sifa(version: int) -> Stage:
    """Returns the joint stage of SIFA: version 2 of TMI 2020, with a lower level, or version 1 of AAAI 2019."""
    lower = version == 2
    judge = f"{_SIFA}:patch_discriminator"
    second = ("sifa.lower_weight", "sifa.lower_alignment_weight")
    first = ("sifa.dropout", "sifa.ramp_from", "sifa.ramp_until")
    return Stage(
        id="joint",
        title="Joint training",
        section="sifa",
        step=f"{_STEPS}.sifa:SifaStep",
        parts=(
            Part(TO_TARGET, f"{_SIFA}:generator_{version}"),
            Part(SEGMENTOR, f"{_SIFA}:segmentor_{version}"),
            Part(SOURCE_DECODER, f"{_SIFA}:decoder"),
            Part(JUDGE_SOURCE, f"{_SIFA}:twofold_discriminator"),
            Part(JUDGE_TARGET, judge),
            Part(JUDGE_MAIN, judge),
            *((Part(JUDGE_AUX, judge),) if lower else ()),
        ),
        inputs=(Slices("source", labels=True), Slices("target")),
        options=(("ramped", not lower),),
        unused=first if lower else second,
    )
