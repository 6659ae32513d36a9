"""The two stages of the paper, which other methods share: translation and segmentation."""

import dataclasses
from typing import Literal

from attent_tf.configs.sections.fields import at_least_1
from attent_tf.configs.sections.optimizer import OptimizerConfig
from attent_tf.configs.sections.slices import AugmentationConfig

Adversarial = Literal["least_squares", "log_likelihood"]


@dataclasses.dataclass(frozen=True)
class TranslationConfig:
    """Stage 1: the CycleGAN (section III-B).

    Attributes:
      steps: number of generator updates; 0 means `epochs`.
      epochs: passes over the larger domain, when `steps` is 0.
      batch_size: images of each domain per step, over all devices.
      filters: channels of the generators at full resolution; 2× and 4× as many at the two coarser resolutions.
      residual_blocks: number of residual blocks of each generator, at a quarter of the resolution.
      gate_gain: factor of each attention gate's output.
      upsample_kernel: edge of the kernel after each bilinear up-sampling of the generators.
      normalization: normalisation of generators and image discriminators: `instance`, `tfa_instance` (extra `addons`) or `none`.
      discriminator_filters: channels of the image discriminators' first layer; doubled in each of the next three.
      adversarial: kind of adversarial loss: `log_likelihood` (Eq. 2, 3) or `least_squares`.
      cycle_weight: weight of Eq. 4.
      identity_weight: weight of the identity loss |G_t2s(x_s) − x_s|; 0 turns it off.
      identity_steps: number of steps, from the first, with the identity loss; 0 means all.
      pool_size: number of earlier translations that the discriminators are shown; 0 turns the pool off.
      generator, discriminator: their optimisers.
    """

    steps: int = 10_000
    epochs: int = 0
    batch_size: int = at_least_1(1)
    filters: int = at_least_1(64)
    residual_blocks: int = 9
    gate_gain: float = 1.0
    upsample_kernel: int = at_least_1(1)
    normalization: Literal["instance", "tfa_instance", "none"] = "instance"
    discriminator_filters: int = at_least_1(64)
    adversarial: Adversarial = "least_squares"
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    identity_steps: int = 0
    pool_size: int = 50
    generator: OptimizerConfig = OptimizerConfig(beta_1=0.5)
    discriminator: OptimizerConfig = OptimizerConfig(beta_1=0.5)


@dataclasses.dataclass(frozen=True)
class SegmentationConfig:
    """Stage 2: the segmentor and, where the method has one, the aligner (section III-C).

    Attributes:
      steps: number of updates of S; 0 means `epochs`. A method that shows S each labelled slice in several views, as it is and
        translated, shows it each view that much less often in as many steps.
      epochs: passes over the labelled slices in all their views, when `steps` is 0.
      batch_size: slices of each domain per step, over all devices.
      backbone: backbone of S: `resnet101`, `resnet50` or `small`; or `pnp_adanet`, that method's own S, which has one head and
        no rates.
      weights: weights that the backbone begins with: `none`, `imagenet` (from Keras's cache) or a file of `keras.applications`;
        or a package that all of S begins with (`FILE.attent`; `imagenet:FILE.attent` if its S was made for ImageNet weights).
      rates: dilation rates of both heads.
      main_weight: weight of the supervised loss of the main head.
      aux_weight: weight of the supervised loss of the auxiliary head.
      dice_weight: weight of the soft Dice loss beside the cross-entropy (Eq. 5).
      cycled_source: whether each labelled slice is also shown as G_t2s(G_s2t(x_s)), with the same labels, since S is shown
        the output of G_t2s in use. Only for methods with a translator.
      aligner_main_weight: weight of Eq. 8 for the main head; for `minent`, of the target's mean entropy.
      aligner_aux_weight: likewise for the auxiliary head.
      aligner_warmup_steps: number of steps, from the first, with labels alone.
      aligner_statistics: statistics that the batch norms use for target slices: `labelled`, the running statistics of labelled
        slices, or `own`, those of the target batch, as in the released codes; the running statistics then cover both domains.
      aligner_watch_every: steps between two checks of how much S finds of each structure in target slices, from the end of the
        warm-up on; an alignment that loses structures is taken back and stopped. 0 for no checks.
      aligner_watch_tolerance: by how much the mean |ln(share in target / share in source labels)| of the structures may grow.
      entropy_channels: channels of entropy maps: `sum` for the map of Eq. 6, `class` for ADVENT's weighted self-information.
      discriminator_filters: channels of the map discriminators' first layer; doubled in each of the next three.
      aligner_adversarial: kind of Eq. 7 and 8: `log_likelihood` or `least_squares`.
      head_rate_factor: learning rate of both heads, as a multiple of the backbone's.
      augmentation: augmentation of the slices of this stage, and of others that train S on labelled slices alone.
      segmentor, discriminator: their optimisers.
    """

    steps: int = 0
    epochs: int = 20
    batch_size: int = at_least_1(8)
    backbone: Literal["resnet101", "resnet50", "small", "pnp_adanet"] = "resnet101"
    weights: str = "none"
    rates: tuple[int, ...] = (6, 12, 18, 24)
    main_weight: float = 1.0
    aux_weight: float = 0.1
    dice_weight: float = 0.0
    cycled_source: bool = False
    aligner_main_weight: float = 0.001
    aligner_aux_weight: float = 0.0002
    aligner_warmup_steps: int = 0
    aligner_statistics: Literal["labelled", "own"] = "labelled"
    aligner_watch_every: int = 0
    aligner_watch_tolerance: float = 0.2
    entropy_channels: Literal["sum", "class"] = "sum"
    discriminator_filters: int = at_least_1(64)
    aligner_adversarial: Adversarial = "log_likelihood"
    head_rate_factor: float = 1.0
    augmentation: AugmentationConfig = AugmentationConfig()
    segmentor: OptimizerConfig = OptimizerConfig(learning_rate=1e-4)
    discriminator: OptimizerConfig = OptimizerConfig(learning_rate=1e-4)
