"""Typed configurations and the YAML files that ship."""

from attent_tf.configs.load import (
    config_from_dict,
    config_to_dict,
    config_to_yaml,
    given_keys,
    load_config,
    shipped_configs,
)
from attent_tf.configs.schema import Config
from attent_tf.configs.sections.optimizer import OptimizerConfig
from attent_tf.configs.sections.peers import CycadaConfig, PnpAdaNetConfig, SifaConfig, SynSegConfig
from attent_tf.configs.sections.slices import AugmentationConfig, DataConfig
from attent_tf.configs.sections.stages import SegmentationConfig, TranslationConfig
from attent_tf.configs.sections.target import PseudoLabelConfig, SelfTrainingConfig, StatisticsConfig
from attent_tf.configs.usage import uses

__all__ = [
    "AugmentationConfig",
    "Config",
    "CycadaConfig",
    "DataConfig",
    "OptimizerConfig",
    "PnpAdaNetConfig",
    "PseudoLabelConfig",
    "SegmentationConfig",
    "SelfTrainingConfig",
    "SifaConfig",
    "StatisticsConfig",
    "SynSegConfig",
    "TranslationConfig",
    "config_from_dict",
    "config_to_dict",
    "config_to_yaml",
    "given_keys",
    "load_config",
    "shipped_configs",
    "uses",
]
