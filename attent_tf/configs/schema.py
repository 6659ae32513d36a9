"""What a configuration is: typed, frozen, complete. The YAML files that ship say where each value comes from."""

import dataclasses

from attent_tf.choices import PathRule, Precision
from attent_tf.configs.sections.fields import at_least_1
from attent_tf.configs.sections.peers import CycadaConfig, PnpAdaNetConfig, SifaConfig, SynSegConfig
from attent_tf.configs.sections.slices import DataConfig
from attent_tf.configs.sections.stages import SegmentationConfig, TranslationConfig
from attent_tf.configs.sections.target import SelfTrainingConfig, StatisticsConfig
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that a run needs besides its data, method and direction.

    Attributes:
      name: its name, shown in reports.
      seed: seed of weights, order and augmentation.
      precision: number type that networks compute in: `float32`, `mixed_bfloat16` or `mixed_float16`; weights, losses and scores
        are float32.
      jit: whether gradients are compiled with XLA; for GPUs only, since it makes CPUs slower.
      data, translation, segmentation: see their classes.
      synseg, cycada, pnp_adanet, sifa: for the methods of these names, see their classes.
      statistics: for methods that take statistics of the target, see its class.
      self_training: for methods that end with it, see its class.
      paths: for methods that deploy several paths, how their answers become one: `mean` of the probabilities, or `foreground`, in
        each pixel the answer of the path that gives the background least, so that a structure counts where any path finds it.
      postprocessing: postprocessing of label maps, wherever the run is used, see its class.
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
    paths: PathRule = "mean"
    postprocessing: Postprocessing = NO_POSTPROCESSING
    log_every: int = at_least_1(50)
    checkpoint_every: int = at_least_1(500)
    panel_every: int = 500
