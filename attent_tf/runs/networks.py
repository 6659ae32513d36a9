"""The networks of a run: made as its configuration says, and filled from its checkpoints."""

import json
import os
from typing import Any

import keras
import tensorflow as tf

from attent_tf.configs import SegmentationConfig, TranslationConfig
from attent_tf.errors import RunError
from attent_tf.models import DeepLabV2, Generator
from attent_tf.runs.run import Run

# What a generator is called in a run of the other direction.
_REVERSE = {"g_t2s": "g_s2t", "g_s2t": "g_t2s"}


def make_generator(config: TranslationConfig, translator: str, name: str, channels: int = 1) -> Generator:
    """Makes G_t2s or G_s2t for the translator `attention_cyclegan` or `cyclegan`, from and to images of `channels`."""
    return Generator(
        filters=config.filters,
        residual_blocks=config.residual_blocks,
        skips="attention" if translator == "attention_cyclegan" else "none",
        gate_gain=config.gate_gain,
        upsample_kernel=config.upsample_kernel,
        normalization=config.normalization,
        channels=channels,
        name=name,
    )


def make_segmentor(config: SegmentationConfig) -> DeepLabV2:
    """Makes S."""
    imagenet_input = config.weights != "none"
    return DeepLabV2(backbone=config.backbone, rates=config.rates, imagenet_input=imagenet_input, name="segmentor")


def load_segmentor(run: Run) -> DeepLabV2:
    """Loads S from the newest checkpoint of a run.

    Raises:
      RunError: the stage has no checkpoint, or it is damaged or of another model.
    """
    size, channels = run.config.data.image_size, run.prepare_options.channels
    segmentor = make_segmentor(run.config.segmentation)
    segmentor(tf.zeros((1, size, size, channels)))
    _restore(run, "segmentation", segmentor=segmentor)
    return segmentor


def load_generators(run: Run, *names: str) -> list[Generator]:
    """Loads generators of a run by the names `g_t2s` and `g_s2t`, of whichever direction its translation stage was trained for.

    Raises:
      RunError: the method has no translator, or errors as in `load_segmentor`.
    """
    if not run.method.translator:
        raise RunError(f"{run.folder}: the method {run.method.id} has no translator")
    size, channels = run.config.data.image_size, run.prepare_options.channels
    generators = [make_generator(run.config.translation, run.method.translator, name, channels) for name in names]
    for generator in generators:
        generator(tf.zeros((1, size, size, channels)))
    turned = translation_direction(run) != run.direction
    stored_names = [_REVERSE[name] if turned else name for name in names]
    _restore(run, "translation", **dict(zip(stored_names, generators, strict=True)))
    return generators


def translation_direction(run: Run) -> str:
    """Returns the direction that the translation stage was trained for: another run's, where it was taken over."""
    begun = _description_file(run, "translation").is_file()
    return stage_description(run, "translation")["direction"] if begun else run.direction


def trained_steps(run: Run, stage: str) -> tuple[int, int]:
    """Returns how many updates of a stage its newest checkpoint holds, and how many it was to have; (0, 0) before it began."""
    path = _newest_checkpoint(run, stage)
    if path is None:
        return 0, 0
    return int(path.rsplit("-", 1)[1]), stage_description(run, stage)["steps"]


def stage_description(run: Run, stage: str) -> dict[str, Any]:
    """Returns what a stage that has begun says of itself; one that names no direction was trained for its run's."""
    return {"direction": run.direction, **json.loads(_description_file(run, stage).read_text(encoding="utf-8"))}


def _description_file(run, stage):
    return run.stage_folder(stage) / "stage.json"


def _newest_checkpoint(run, stage):
    return tf.train.latest_checkpoint(os.fspath(run.stage_folder(stage) / "checkpoints"))


def stored(part: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """Returns all variables of a network or an optimizer, in the order in which checkpoints hold them."""
    return [variable.value for variable in part.variables]


def _restore(run, stage, **networks):
    """Fills `networks`, given by their names in the stage's checkpoints."""
    path = _newest_checkpoint(run, stage)
    if path is None:
        raise RunError(f"{run.folder}: the {stage} stage has no checkpoint; run attent train --stage {stage}")
    checkpoint = tf.train.Checkpoint(**{name: stored(network) for name, network in networks.items()})
    try:
        status = checkpoint.restore(path)
        status.expect_partial().assert_existing_objects_matched()
    except AssertionError as error:
        raise RunError(f"{path}: weights of another model; run.json or the checkpoint was changed") from error
    except (IndexError, ValueError, tf.errors.OpError) as error:
        raise RunError(f"{path}: damaged checkpoint ({type(error).__name__}); train again") from error
