"""Inner steps of methods that ship, small enough for a test."""

import dataclasses

import numpy as np

from attent_tf.configs import (
    Config,
    CycadaConfig,
    DataConfig,
    PnpAdaNetConfig,
    SegmentationConfig,
    SelfTrainingConfig,
    SifaConfig,
    SynSegConfig,
    TranslationConfig,
)
from attent_tf.methods import Stage, get_method
from attent_tf.tasks import Task
from attent_tf.training.steps.step import Step, make_step
from tests.support.abdomen import ABDOMEN

TRANSLATION = TranslationConfig(
    filters=4, residual_blocks=1, upsample_kernel=3, discriminator_filters=4, pool_size=0, identity_steps=5
)
SEGMENTATION = SegmentationConfig(backbone="small", rates=(1, 2), batch_size=4, discriminator_filters=4)
SIFA = SifaConfig(
    batch_size=4,
    filters=2,
    residual_blocks=1,
    encoder_filters=2,
    encoder_widest=8,
    discriminator_filters=2,
    pool_size=0,
)
SYNSEG = SynSegConfig(batch_size=4)
CYCADA = CycadaConfig(batch_size=4, discriminator_filters=4, discriminator_dropout=0.0, gate_window=2)
SELF_TRAINING = SelfTrainingConfig(batch_size=4)
PNP_ADANET = PnpAdaNetConfig(
    batch_size=4,
    critic_warmup_steps=0,
    critic_steps=2,
    critic_steps_grow_every=0,
    critic_filters=2,
    mask_critic_filters=2,
    critic_dropout=0.0,
)


def small_config(image_size: int = 32, **sections) -> Config:
    """A configuration of small networks; `sections` replaces keys, those of a section by a dictionary."""
    config = Config(
        data=DataConfig(image_size),
        translation=TRANSLATION,
        segmentation=SEGMENTATION,
        synseg=SYNSEG,
        cycada=CYCADA,
        pnp_adanet=PNP_ADANET,
        sifa=SIFA,
        self_training=SELF_TRAINING,
    )
    values = {
        name: dataclasses.replace(getattr(config, name), **value) if isinstance(value, dict) else value
        for name, value in sections.items()
    }
    return dataclasses.replace(config, **values)


def make_inner(
    method: str,
    stage: str,
    config: Config | None = None,
    direction: str = "mri2ct",
    steps: int = 50,
    task: Task = ABDOMEN,
) -> Step:
    """The inner step of a method's stage."""
    return make_step(get_method(method).stage(stage), config or small_config(), task, direction, steps)


def random_batch(stage: Stage, count: int = 4, size: int = 32, seed: int = 0, num_classes: int = 5) -> list:
    """What the stage's `update` takes, in NumPy: images, or pairs of them and labels, for each of its inputs."""
    rng = np.random.default_rng(seed)
    batch = []
    for slices in stage.inputs:
        images = rng.uniform(-1, 1, (count, size, size, 1)).astype(np.float32)
        # Codes of `pseudo_labels` have three levels.
        classes = 3 * num_classes if slices.labelled_by else num_classes
        labels = rng.integers(0, classes, (count, size, size)).astype(np.uint8)
        batch.append((images, labels) if slices.in_pairs else images)
    return batch


def first_of_each_phase(inner: Step, steps: int) -> list[tuple[int, str]]:
    """(step, phase) of the first step of each phase that begins before `steps`."""
    found, at = [], 0
    while at is not None and at < steps:
        phase, until = inner.phase(at)
        found.append((at, phase))
        at = until
    return found
