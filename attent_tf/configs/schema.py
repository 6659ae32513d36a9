"""What a configuration is: typed, frozen, complete. The YAML files that ship say where each value comes from."""

import dataclasses
from typing import Any, Literal

from attent_tf.choices import Precision
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing

Adversarial = Literal["least_squares", "log_likelihood"]


def at_least_1(default: int) -> Any:
    """A field that holds a number of at least 1."""
    return dataclasses.field(default=default, metadata={"least": 1})


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """An optimiser and its learning rate.

    Attributes:
      kind: `adam`, `sgd` or `rmsprop`.
      learning_rate: at the start.
      beta_1: decay of the first moment of Adam.
      beta_2: decay of the second moment of Adam.
      momentum: of SGD.
      weight_decay: factor of the L2 penalty ½‖w‖² of kernels, added to their gradients.
      decay: how the rate falls: `linear` to 0 after `decay_from`, `poly` (1 − step / steps)^`decay_power`, or `exponential`.
      decay_from: of `linear`: share of the stage's steps after which the rate falls; 1 keeps it constant.
      decay_power: of `poly`.
      decay_steps: of `poly`: `steps` in that formula, where a schedule goes beyond the stage's end; 0 for the stage's own steps.
      decay_every: of `exponential`: steps after which the rate is multiplied by `decay_factor`.
      decay_factor: of `exponential`.
      clip_norm: largest norm of the whole gradient, summed over devices; 0 leaves it as it is.
    """

    kind: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = 2e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    momentum: float = 0.0
    weight_decay: float = 0.0
    decay: Literal["linear", "poly", "exponential"] = "linear"
    decay_from: float = 1.0
    decay_power: float = 0.9
    decay_steps: int = 0
    decay_every: int = at_least_1(100)
    decay_factor: float = 0.98
    clip_norm: float = 0.0


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What the networks see of the 256×256 records.

    Attributes:
      image_size: edge of the networks' input in pixels; smaller than the records' means averaging down.
      zoom_min: smallest factor of the random resizing.
      zoom_max: largest factor of the random resizing.
      shift: range of the random crop's offset, as a share of the edge, to either side.
    """

    image_size: Literal[256, 128, 64, 32] = 256
    zoom_min: float = 0.9
    zoom_max: float = 1.1
    shift: float = 0.05


@dataclasses.dataclass(frozen=True)
class TranslationConfig:
    """Stage 1: the CycleGAN (section III-B).

    Attributes:
      steps: number of generator updates; 0 means `epochs`.
      epochs: passes over the larger domain, when `steps` is 0.
      batch_size: images of each domain a step, over all devices.
      filters: channels of the generators at full resolution; 2× and 4× at the coarser two.
      residual_blocks: of each generator, at a quarter of the resolution.
      gate_gain: factor of each attention gate's output.
      upsample_kernel: edge of the kernel after each bilinear up-sampling of the generators.
      normalization: of generators and image discriminators: `instance`, `tfa_instance` (extra `addons`) or `none`.
      discriminator_filters: channels of the image discriminators' first layer; doubled in each of the next three.
      adversarial: `log_likelihood` (Eq. 2, 3) or `least_squares`.
      cycle_weight: of Eq. 4.
      identity_weight: of the identity loss |G_t2s(x_s) − x_s|; 0 turns it off.
      identity_steps: number of first steps with identity loss; 0 means all.
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
class AugmentationConfig:
    """Augmentation of what S is trained on, beyond that of `data`, in each stage whose labelled slices S alone is shown.

    Geometry is that of all slices of such a stage, so that no aligner tells domains apart by it; grey values are mapped in
    labelled slices alone.

    Attributes:
      intensity: how grey values are mapped: `none`, `monotone` (a random rising curve for a slice) or `class_wise` (SLAug: curves
        of the classes' own, some of them falling, mixed with a rising one of the slice).
      intensity_share: share of the labelled slices that are mapped; the others are shown as they are.
      intensity_scale: standard deviation of the factor after a curve, cut to 1 ± this.
      intensity_shift: standard deviation of the shift after the factor, for images from −1 to 1; cut so that the 20th and the
        80th percentile of tissue stay in range.
      rotation: largest angle to either side, in degrees.
      zoom: widens the range of zooms to `data.zoom_min` / (1 + this) … `data.zoom_max` · (1 + this).
    """

    intensity: Literal["none", "monotone", "class_wise"] = "none"
    intensity_share: float = 0.5
    intensity_scale: float = 0.1
    intensity_shift: float = 0.5
    rotation: float = 0.0
    zoom: float = 0.0


@dataclasses.dataclass(frozen=True)
class SegmentationConfig:
    """Stage 2: the segmentor and, where the method has one, the aligner (section III-C).

    Attributes:
      steps: number of updates of S; 0 means `epochs`.
      epochs: passes over the labelled slices, when `steps` is 0.
      batch_size: slices of each domain a step, over all devices.
      backbone: of S: `resnet101`, `resnet50` or `small`; or `pnp_adanet`, that method's own S, which has one head and no rates.
      weights: that the backbone begins with: `none`, `imagenet` (from Keras's cache) or a file of `keras.applications`; or that
        all of S begins with: a package (`FILE.attent`; `imagenet:FILE.attent` where its S was made for ImageNet weights).
      rates: dilation rates of both heads.
      main_weight: of the supervised loss of the main head.
      aux_weight: of the supervised loss of the auxiliary head.
      dice_weight: of the soft Dice loss beside the cross-entropy (Eq. 5).
      cycled_source: whether each labelled slice is also shown as G_t2s(G_s2t(x_s)), with the same labels: what S is shown in
        use is the output of G_t2s. Only for methods with a translator.
      aligner_main_weight: of Eq. 8 for the main head; of the target's mean entropy for `minent`.
      aligner_aux_weight: likewise for the auxiliary head.
      aligner_warmup_steps: first steps with labels alone.
      aligner_statistics: of the batch norms when target slices pass: `labelled`, the running ones of labelled slices, or `own`,
        those of the target batch, as in the released codes; the running ones then are of both domains.
      aligner_watch_every: steps between two looks at how much S finds of each structure in target slices, from the end of the
        warm-up on; an alignment that loses structures is taken back and stopped. 0 looks never.
      aligner_watch_tolerance: by how much the mean |ln(share in target / share in source labels)| of the structures may grow.
      entropy_channels: of entropy maps: `sum` for the map of Eq. 6, `class` for ADVENT's weighted self-information.
      discriminator_filters: channels of the map discriminators' first layer; doubled in each of the next three.
      aligner_adversarial: kind of Eq. 7 and 8: `log_likelihood` or `least_squares`.
      head_rate_factor: learning rate of both heads, as a multiple of the backbone's.
      augmentation: of the slices of this stage, and of others that train S on labelled slices alone.
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


@dataclasses.dataclass(frozen=True)
class SifaConfig:
    """SIFA, both versions (Chen et al., TMI 2020 and AAAI 2019); adversaries are least squares. Defaults are the released ones.

    Attributes:
      steps: number of joint updates; 0 means `epochs`.
      epochs: passes over the labelled slices, when `steps` is 0.
      batch_size: slices of each domain a step, over all devices.
      filters: channels at full resolution of g_A and de_B; 2× and 4× at the coarser ones.
      residual_blocks: of g_A, at a quarter of the resolution.
      encoder_filters: channels at full resolution of e_B; 2 to 32 times as many in later blocks.
      encoder_widest: no block of e_B has more channels.
      dropout: share of e_B's values that are dropped in training; first version alone.
      discriminator_filters: channels of each discriminator's first layer; doubled in each of the next three.
      pool_size: number of earlier translations of either kind that the image discriminators are shown; 0 turns the pools off.
      cycle_weight: of the cycle consistency, for g_A and de_B.
      decoder_weight: of all that de_B pays, in the loss of e_B and its heads.
      lower_weight: of the supervised loss of the lower level; second version alone.
      alignment_weight: of passing for predictions of translated source slices, on the output.
      lower_alignment_weight: likewise on the lower level; second version alone.
      auxiliary_weight: of the target in source style passing for the source there and back.
      ramp_from: share of the steps after which `alignment_weight` grows from 0; first version alone.
      ramp_until: share of the steps after which it is whole; first version alone.
      generator, segmentor, discriminator: optimisers, of g_A and de_B, of e_B and its heads, and of each discriminator.
    """

    steps: int = 20_000
    epochs: int = 0
    batch_size: int = at_least_1(8)
    filters: int = at_least_1(32)
    residual_blocks: int = 9
    encoder_filters: int = at_least_1(16)
    encoder_widest: int = at_least_1(512)
    dropout: float = 0.25
    discriminator_filters: int = at_least_1(64)
    pool_size: int = 400
    cycle_weight: float = 10.0
    decoder_weight: float = 0.1
    lower_weight: float = 0.1
    alignment_weight: float = 0.1
    lower_alignment_weight: float = 0.01
    auxiliary_weight: float = 0.1
    ramp_from: float = 0.2
    ramp_until: float = 0.35
    generator: OptimizerConfig = OptimizerConfig(beta_1=0.5)
    segmentor: OptimizerConfig = OptimizerConfig(weight_decay=1e-4)
    discriminator: OptimizerConfig = OptimizerConfig(beta_1=0.5)


@dataclasses.dataclass(frozen=True)
class SynSegConfig:
    """SynSeg-Net: translators and segmentor trained together, by the optimisers, losses and networks of the sections above.

    Attributes:
      steps: number of joint updates; 0 means `epochs`.
      epochs: passes over the labelled slices, when `steps` is 0.
      batch_size: images of each domain a step, over all devices.
      segmentation_weight: of the loss of S beside those of the generators.
      class_weights: of each class, the background first, in the cross-entropy; empty for those of the task.
    """

    steps: int = 0
    epochs: int = 200
    batch_size: int = at_least_1(4)
    segmentation_weight: float = 1.0
    class_weights: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class CycadaConfig:
    """CyCADA: the adaptation of scores, after both other stages, and the semantic loss of the first.

    Attributes:
      steps: number of updates of the discriminator, and at most as many of S; 0 means `epochs`.
      epochs: passes over the labelled slices, when `steps` is 0.
      batch_size: slices of each domain a step, over all devices.
      aligner_weight: of what S pays for target scores that do not pass for source scores.
      gate_accuracy: S is updated while the discriminator's mean accuracy exceeds this.
      gate_window: number of steps that the mean is over.
      discriminator_filters: channels of the discriminator's first layer; half of it in the second.
      discriminator_dropout: share of channels that its training leaves out.
      semantic_weight: of the semantic loss, of the method `cycada_semantic` alone; 0 turns it off.
      semantic_gate: largest cross-entropy of the classifier at which the semantic loss counts.
      segmentor, discriminator: optimisers of the adaptation.
      classifier: optimiser of the classifier that the semantic loss asks.
    """

    steps: int = 0
    epochs: int = 20
    batch_size: int = at_least_1(8)
    aligner_weight: float = 0.1
    gate_accuracy: float = 0.6
    gate_window: int = at_least_1(100)
    discriminator_filters: int = at_least_1(512)
    discriminator_dropout: float = 0.5
    semantic_weight: float = 1.0
    semantic_gate: float = 1.0
    segmentor: OptimizerConfig = OptimizerConfig(kind="sgd", learning_rate=1e-5, momentum=0.99, weight_decay=5e-4)
    discriminator: OptimizerConfig = OptimizerConfig(kind="sgd", learning_rate=1e-5, momentum=0.99, weight_decay=5e-4)
    classifier: OptimizerConfig = OptimizerConfig(learning_rate=1e-3)


_PNP_ADAPTER = OptimizerConfig(kind="rmsprop", learning_rate=3e-4, weight_decay=2e-7, decay="exponential")
# A round counts as one step of the decay, and the critics do 20 updates in it.
_PNP_CRITIC = dataclasses.replace(_PNP_ADAPTER, decay_every=2000)


@dataclasses.dataclass(frozen=True)
class PnpAdaNetConfig:
    """PnP-AdaNet: the adaptation of the early layers of S, after S was trained on the source.

    Attributes:
      steps: number of updates in all, of the critics and of the early layers; 0 means `epochs`.
      epochs: passes over the larger domain, when `steps` is 0.
      batch_size: slices of each domain a step, over all devices.
      critic_warmup_steps: first updates, of the critic of features alone.
      critic_steps: updates of the critics before each update of the early layers.
      critic_steps_grow_every: updates of the early layers after which `critic_steps` grows by one; 0 for never.
      critic_weight: of the distance that the critics estimate.
      mask_share: weight of the critic of masks, as a share of `critic_weight`.
      clip: largest absolute value of the critics' kernels; 0 for any.
      critic_filters: channels of the first block of the critic of features.
      mask_critic_filters: channels of the first convolution of the critic of masks.
      critic_dropout: share of values that the critics' training leaves out.
      adapter: optimiser of the early layers.
      critic: optimiser of each critic.
    """

    steps: int = 0
    epochs: int = 400
    batch_size: int = at_least_1(6)
    critic_warmup_steps: int = 2000
    critic_steps: int = at_least_1(20)
    critic_steps_grow_every: int = 300
    critic_weight: float = 0.002
    mask_share: float = 0.3
    clip: float = 0.03
    critic_filters: int = at_least_1(64)
    mask_critic_filters: int = at_least_1(16)
    critic_dropout: float = 0.25
    adapter: OptimizerConfig = _PNP_ADAPTER
    critic: OptimizerConfig = _PNP_CRITIC


@dataclasses.dataclass(frozen=True)
class PseudoLabelConfig:
    """How a running average of S labels target slices, and which of its labels count (`attent_tf.training.pseudo_labels`).

    Attributes:
      every: steps after which all target slices are labelled anew.
      first_quantile: of a structure's probabilities where it was found: pixels below it do not count; for the first labels.
      quantile: likewise for later labels.
      least_probability: pixels of a structure that is less probable do not count, whatever the quantile.
      background_probability: likewise for background.
      disagreement_weight: of pixels that the deployed paths label differently.
      gamma: where there is one path, its labels of x^gamma, x in [0, 1], are the second opinion; 1 for none.
      least_agreement: a volume whose labels by two paths, or of both grey values, have a smaller mean Dice is left out.
      least_share: a volume is left out where a structure's share of all labelled voxels, as a multiple of its mean share in
        source labels, is smaller.
      largest_share: likewise where it is larger.
      least_volumes: share of the target volumes of which less remaining ends the stage with the weights that it began with.
    """

    every: int = at_least_1(1000)
    first_quantile: float = 0.3
    quantile: float = 0.2
    least_probability: float = 0.5
    background_probability: float = 0.9
    disagreement_weight: float = 0.5
    gamma: float = 1.0
    least_agreement: float = 0.7
    least_share: float = 0.333
    largest_share: float = 3.0
    least_volumes: float = 0.25


@dataclasses.dataclass(frozen=True)
class SelfTrainingConfig:
    """Self-training: S goes on with labelled source slices and with target slices that its running average labels.

    Attributes:
      steps: number of updates of S; 0 means `epochs`.
      epochs: passes over the labelled slices, when `steps` is 0.
      batch_size: slices of each domain a step, over all devices.
      teacher_decay: of the running average; from its beginning it is the plain mean until this decay is reached.
      target_weight: of the loss on target slices.
      ramp_until: share of the steps after which that loss counts whole; before, it counts by exp(−5 (1 − k / K)²).
      labels: how target slices are labelled, see its class.
      segmentor: optimiser of S.
    """

    steps: int = 0
    epochs: int = 10
    batch_size: int = at_least_1(8)
    teacher_decay: float = 0.99
    target_weight: float = 1.0
    ramp_until: float = 0.25
    labels: PseudoLabelConfig = PseudoLabelConfig()
    segmentor: OptimizerConfig = OptimizerConfig(learning_rate=1e-4, decay_from=0.6)


@dataclasses.dataclass(frozen=True)
class StatisticsConfig:
    """Statistics of the target: batch norms of S with means and variances of target slices; its weights stay.

    Attributes:
      steps: number of batches that the mean is over; 0 means `epochs`.
      epochs: passes over the target slices, when `steps` is 0.
      batch_size: slices a step, over all devices.
    """

    steps: int = 0
    epochs: int = 2
    batch_size: int = at_least_1(16)


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that a run needs beside its data, method and direction.

    Attributes:
      name: shown in reports.
      seed: of weights, order and augmentation.
      precision: what networks compute in: `float32`, `mixed_bfloat16` or `mixed_float16`; weights, losses and scores are float32.
      jit: whether gradients are compiled by XLA; for GPUs, since it makes CPUs slower.
      data, translation, segmentation: see their classes.
      synseg, cycada, pnp_adanet, sifa: of the methods of that name, see their classes.
      statistics: of methods that take statistics of the target, see its class.
      self_training: of methods that end with it, see its class.
      postprocessing: of label maps, wherever the run is used, see its class.
      log_every: steps between two rows of the history.
      checkpoint_every: steps between two checkpoints.
      panel_every: steps between two panels of images for TensorBoard; 0 turns them off.
    """

    name: str = "recommended"
    seed: int = 0
    precision: Precision = "float32"
    jit: bool = False
    data: DataConfig = DataConfig()
    translation: TranslationConfig = TranslationConfig()
    segmentation: SegmentationConfig = SegmentationConfig()
    synseg: SynSegConfig = SynSegConfig()
    cycada: CycadaConfig = CycadaConfig()
    pnp_adanet: PnpAdaNetConfig = PnpAdaNetConfig()
    sifa: SifaConfig = SifaConfig()
    statistics: StatisticsConfig = StatisticsConfig()
    self_training: SelfTrainingConfig = SelfTrainingConfig()
    postprocessing: Postprocessing = NO_POSTPROCESSING
    log_every: int = at_least_1(50)
    checkpoint_every: int = at_least_1(500)
    panel_every: int = 500
