"""The joint stages and adaptations of other methods, one section for each."""

import dataclasses

from attent_tf.configs.sections.fields import at_least_1
from attent_tf.configs.sections.optimizer import OptimizerConfig


@dataclasses.dataclass(frozen=True)
class SifaConfig:
    """SIFA, both versions (Chen et al., TMI 2020 and AAAI 2019); adversaries use least squares. Defaults are the released
    ones.

    Attributes:
      steps: number of joint updates; 0 means `epochs`.
      epochs: passes over the labelled slices, when `steps` is 0.
      batch_size: slices of each domain per step, over all devices.
      filters: channels of g_A and de_B at full resolution; 2× and 4× as many at the coarser resolutions.
      residual_blocks: number of residual blocks of g_A, at a quarter of the resolution.
      encoder_filters: channels of e_B at full resolution; 2 to 32 times as many in later blocks.
      encoder_widest: largest number of channels of a block of e_B.
      dropout: share of e_B's values that are dropped in training; first version only.
      discriminator_filters: channels of each discriminator's first layer; doubled in each of the next three.
      pool_size: number of earlier translations of either kind that the image discriminators are shown; 0 turns the pools off.
      cycle_weight: weight of the cycle consistency, for g_A and de_B.
      decoder_weight: weight of all losses of de_B in the loss of e_B and its heads.
      lower_weight: weight of the supervised loss of the lower level; second version only.
      alignment_weight: weight of the adversarial loss by which predictions pass for those of translated source slices.
      lower_alignment_weight: likewise on the lower level; second version only.
      auxiliary_weight: weight of the adversarial loss by which the target in source style passes for the cycled source.
      ramp_from: share of the steps after which `alignment_weight` grows from 0; first version only.
      ramp_until: share of the steps after which it has its full value; first version only.
      generator, segmentor, discriminator: optimisers of g_A and de_B, of e_B and its heads, and of each discriminator.
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
      batch_size: images of each domain per step, over all devices.
      segmentation_weight: weight of the loss of S beside those of the generators.
      class_weights: weight of each class in the cross-entropy, the background first; empty for those of the task.
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
      batch_size: slices of each domain per step, over all devices.
      aligner_weight: weight of the loss of S for target scores that do not pass for source scores.
      gate_accuracy: S is updated while the discriminator's mean accuracy exceeds this.
      gate_window: number of steps over which the mean is taken.
      discriminator_filters: channels of the discriminator's first layer; half as many in the second.
      discriminator_dropout: share of channels that its training leaves out.
      semantic_weight: weight of the semantic loss, only for the method `cycada_semantic`; 0 turns it off.
      semantic_gate: largest cross-entropy of the classifier at which the semantic loss counts.
      segmentor, discriminator: optimisers of the adaptation.
      classifier: optimiser of the classifier of the semantic loss.
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

    The section `segmentation` says how S is trained on the source, but for its optimiser. The cross-entropy of this method has no
    slope where S gives the true class a probability below 0.005; steps that are too large can lose small structures for good.

    Attributes:
      steps: total number of updates of the critics and of the early layers; 0 means `epochs`.
      epochs: passes over the larger domain, when `steps` is 0.
      batch_size: slices of each domain per step, over all devices.
      critic_warmup_steps: number of updates, from the first, of the critic of features alone.
      critic_steps: updates of the critics before each update of the early layers.
      critic_steps_grow_every: updates of the early layers after which `critic_steps` grows by one; 0 for never.
      critic_weight: weight of the distance that the critics estimate.
      mask_share: weight of the critic of masks, as a share of `critic_weight`.
      clip: largest absolute value of the critics' kernels; 0 for no limit.
      critic_filters: channels of the first block of the critic of features.
      mask_critic_filters: channels of the first convolution of the critic of masks.
      critic_dropout: share of values that the critics' training leaves out.
      segmentor: optimiser of S on the source.
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
    segmentor: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, weight_decay=1e-4)
    adapter: OptimizerConfig = _PNP_ADAPTER
    critic: OptimizerConfig = _PNP_CRITIC
