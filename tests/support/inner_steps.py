"""Inner steps of methods that ship, small enough for a test."""

import dataclasses

from attent_tf.configs import (
    Config,
    CycadaConfig,
    DataConfig,
    PnpAdaNetConfig,
    SegmentationConfig,
    SynSegConfig,
    TranslationConfig,
)
from attent_tf.methods import get_method
from attent_tf.training.steps.step import Step, make_step

TRANSLATION = TranslationConfig(
    filters=4, residual_blocks=1, upsample_kernel=3, discriminator_filters=4, pool_size=0, identity_steps=5
)
SEGMENTATION = SegmentationConfig(backbone="small", rates=(1, 2), batch_size=4, discriminator_filters=4)
SYNSEG = SynSegConfig(batch_size=4)
CYCADA = CycadaConfig(batch_size=4, discriminator_filters=4, discriminator_dropout=0.0, gate_window=2)
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
    )
    values = {
        name: dataclasses.replace(getattr(config, name), **value) if isinstance(value, dict) else value
        for name, value in sections.items()
    }
    return dataclasses.replace(config, **values)


def make_inner(
    method: str, stage: str, config: Config | None = None, direction: str = "mri2ct", steps: int = 50
) -> Step:
    """The inner step of a method's stage."""
    return make_step(get_method(method).stage(stage), config or small_config(), direction, steps)
