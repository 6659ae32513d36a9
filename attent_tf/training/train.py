"""Training a method: its stages in order, each on the data that it may see."""

import dataclasses
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from attent_tf.configs import Config
from attent_tf.data.batches import Share, batches
from attent_tf.data.manifest import Manifest, read_manifest
from attent_tf.data.slices import SliceArrays, allocate, load_slices
from attent_tf.errors import ConfigError, RecordsError, RunError
from attent_tf.files import write_json
from attent_tf.layers import make_normalization
from attent_tf.methods import get_domains, get_method
from attent_tf.models import find_weights, load_imagenet
from attent_tf.runs import Run, create_or_check, load_run, resolve_steps
from attent_tf.runs.networks import load_generators, trained_steps, translation_direction
from attent_tf.runs.reuse import reuse_translation
from attent_tf.runs.translation_check import check_translation, write_check
from attent_tf.training.checkpoints import has_checkpoint
from attent_tf.training.loop import Observer, StagePlan, run_stage
from attent_tf.training.panels import SegmentationPanel, TranslationPanel
from attent_tf.training.segmentation import SegmentationStep
from attent_tf.training.strategies import device_names, make_strategy, replica_batch, wait_for_all, worker_index
from attent_tf.training.translation import TranslationStep
from attent_tf.volumes import PrepareOptions

STAGES = ("translation", "segmentation")
_TRANSLATE_BATCH = 16


def train(
    records: str | os.PathLike,
    out: str | os.PathLike,
    method: str,
    direction: str,
    config: Config,
    observer: Observer,
    stage: str = "all",
    fresh: bool = False,
    strategy: tf.distribute.Strategy | None = None,
    translation_from: str | os.PathLike | None = None,
) -> Run:
    """Trains a method on a records folder, or goes on where an earlier call stopped.

    Labels of the target domain are read by `supervised` alone; test cases are not read at all.

    Args:
      records: a records folder.
      out: the run folder.
      method: one of `attent_tf.methods.METHODS`.
      direction: `mri2ct` or `ct2mri`.
      config: of networks, losses and lengths.
      observer: shows progress.
      stage: `all`, `translation` or `segmentation`.
      fresh: refuse to go on with a run that has a checkpoint.
      strategy: of distribution; by default one that uses every GPU, or the CPU.
      translation_from: a run folder whose finished translation stage is taken over, see `attent_tf.runs.reuse`.

    Returns:
      The run.

    Raises:
      AttentError: wrong names, records that do not fit, a run folder of another configuration, or losses that are not finite.
    """
    manifest = read_manifest(records)
    chosen = get_method(method)
    get_domains(direction)
    try:
        preparation = PrepareOptions.from_json(manifest.options.get("preparation")).to_json()
    except ConfigError as error:
        raise RecordsError(f"{records}: {error}; preprocess again") from error
    run = Run(Path(out), chosen, direction, config, manifest.fingerprint, preparation)
    stages = _stages(run, stage)
    if fresh and any(has_checkpoint(run.stage_folder(name) / "checkpoints") for name in STAGES):
        raise RunError(f"{run.folder}: holds a checkpoint, and --fresh was given; choose another --out")
    if "segmentation" in stages and _begins_pretrained(run):
        # Better now than after a night of translation.
        find_weights(config.segmentation.weights, config.segmentation.backbone)
    if "translation" in stages:
        # A package that is missing must be told before the run folder is made.
        make_normalization(config.translation.normalization)
    strategy = strategy or make_strategy()
    if worker_index(strategy) == 0:
        create_or_check(run, device_names(strategy))
        if translation_from is not None:
            _take_over_translation(run, translation_from, observer)
    wait_for_all(strategy)
    for name in stages:
        # Weights follow from the seed, whichever stages ran before in this process.
        keras.utils.set_random_seed(config.seed)
        (_train_translation if name == "translation" else _train_segmentation)(
            run, manifest, records, strategy, observer
        )
        # The chief's last checkpoint is what the next stage begins with.
        wait_for_all(strategy)
    return run


def _take_over_translation(run, folder, observer):
    if not run.method.translator:
        raise ConfigError(f"--translation-from: the method {run.method.id} has no translator; leave the option out")
    if has_checkpoint(run.stage_folder("translation") / "checkpoints"):
        observer.say(f"{run.folder}: holds a translation stage; --translation-from is not needed again")
        return
    reuse_translation(run, load_run(folder))
    observer.say(f"Translation: taken over from {folder}")


def _begins_pretrained(run):
    pretrained = run.config.segmentation.weights != "none"
    return pretrained and not has_checkpoint(run.stage_folder("segmentation") / "checkpoints")


def _stages(run, stage):
    if stage not in ("all", *STAGES):
        raise ConfigError(f"stage: expected all, {' or '.join(STAGES)}; received {stage!r}")
    possible = STAGES if run.method.translator else ("segmentation",)
    if stage == "all":
        return possible
    if stage not in possible:
        raise ConfigError(f"method {run.method.id} has no translator, so it has no translation stage")
    return (stage,)


def _train_translation(run, manifest: Manifest, records, strategy, observer):
    if translation_direction(run) != run.direction:
        observer.say(f"Translation: complete (trained for {translation_direction(run)})")
        return
    config, size, channels = run.config.translation, run.config.data.image_size, run.prepare_options.channels
    source = load_slices(records, manifest, run.source, "train", size, labels=False)
    target = load_slices(records, manifest, run.target, "train", size, labels=False)
    steps = resolve_steps(config.steps, config.epochs, max(len(source), len(target)), config.batch_size)
    per_replica = replica_batch("translation", config.batch_size, strategy)

    def make_data(first, worker):
        return _zip_batches(run, per_replica, first, Share.of_worker(worker, strategy), source, target)

    with strategy.scope():
        step = tf.Variable(0, dtype=tf.int64, name="step")
        inner = TranslationStep(
            config,
            run.method.translator,
            size,
            steps,
            config.batch_size,
            run.config.seed,
            channels,
            run.config.precision,
            run.config.jit,
        )
    panel = TranslationPanel(inner, source.images, target.images)
    run_stage(
        _plan(run, "translation", "Translation", steps, strategy), inner, step, make_data, strategy, observer, panel
    )


def _train_segmentation(run, manifest: Manifest, records, strategy, observer):
    config, size, channels = run.config.segmentation, run.config.data.image_size, run.prepare_options.channels
    labelled = load_slices(records, manifest, run.labelled, "train", size, labels=True)
    target = None
    if run.method.aligner or run.method.translator:
        target = load_slices(records, manifest, run.target, "train", size, labels=False)
    if run.method.translator:
        _check_translation_complete(run)
        labelled, target = _translate(run, labelled, target, observer)
    steps = resolve_steps(config.steps, config.epochs, len(labelled), config.batch_size)
    per_replica = replica_batch("segmentation", config.batch_size, strategy)

    parts = [labelled, target] if run.method.aligner else [labelled]

    def make_data(first, worker):
        return _zip_batches(run, per_replica, first, Share.of_worker(worker, strategy), *parts)

    with strategy.scope():
        step = tf.Variable(0, dtype=tf.int64, name="step")
        inner = SegmentationStep(
            config,
            run.method.aligner,
            size,
            steps,
            config.batch_size,
            channels,
            run.config.precision,
            run.config.jit,
        )
        if _begins_pretrained(run):
            load_imagenet(inner.segmentor.resnet, find_weights(config.weights, config.backbone))
    panel = SegmentationPanel(inner, labelled.images, target.images if target else None)
    run_stage(
        _plan(run, "segmentation", "Segmentation", steps, strategy), inner, step, make_data, strategy, observer, panel
    )
    if run.method.translator and worker_index(strategy) == 0:
        _judge_translation(run, inner.segmentor, labelled, target, observer)


def _judge_translation(run, segmentor, labelled, target, observer):
    """Says, and keeps for the report, whether the translation has likely failed; no label of the target is read."""
    g_t2s, g_s2t = load_generators(run, "g_t2s", "g_s2t")

    @tf.function(reduce_retracing=True)
    def segment_twice(translated):
        again = g_t2s(g_s2t(translated, training=False), training=False)
        return [tf.argmax(segmentor(images, training=False).main, axis=-1) for images in (translated, again)]

    starts = range(0, len(target), _TRANSLATE_BATCH)
    parts = [segment_twice(tf.constant(target.images[at : at + _TRANSLATE_BATCH])) for at in starts]
    once, again = (np.concatenate([part[i].numpy() for part in parts]).astype(np.uint8) for i in (0, 1))
    check = check_translation(labelled.labels, once, again)
    write_check(run.folder, check)
    if check.warning:
        observer.say(f"Warning: {check.warning}")


def _translate(run, labelled, target, observer):
    """Shows target slices in source style, once for all, since the generators no longer change."""
    g_t2s, g_s2t = load_generators(run, "g_t2s", "g_s2t")
    to_source = tf.function(lambda x: g_t2s(x, training=False), reduce_retracing=True)
    around = tf.function(lambda x: g_t2s(g_s2t(x, training=False), training=False), reduce_retracing=True)
    if target is not None:
        target = dataclasses.replace(target, images=_map_images(to_source, target.images, "Target slices", observer))
    if run.config.segmentation.cycled_source:
        cycled = _map_images(around, labelled.images, "Source slices", observer)
        labelled = SliceArrays(_one_after_other(labelled.images, cycled), _one_after_other(*[labelled.labels] * 2))
    return labelled, target


def _map_images(function, images, title, observer):
    result = allocate(images.shape, images.dtype)
    with observer.stage(f"{title} through the translator", len(images), 0) as bar:
        for start in range(0, len(images), _TRANSLATE_BATCH):
            part = slice(start, start + _TRANSLATE_BATCH)
            result[part] = function(tf.constant(images[part])).numpy()
            bar.update(len(images[part]))
    return result


def _one_after_other(first, second):
    both = allocate((len(first) + len(second), *first.shape[1:]), first.dtype)
    both[: len(first)], both[len(first) :] = first, second
    return both


def _zip_batches(run, per_replica, first, share, *parts):
    """Zips the batches of each part; successive elements go to successive replicas."""
    seeds = np.random.SeedSequence(run.config.seed).generate_state(len(parts))
    streams = [
        batches(part, run.config.data, per_replica, int(seed) >> 1, first, share)
        for part, seed in zip(parts, seeds, strict=True)
    ]
    # A dataset of 1-tuples where there is one part, so that the elements always are the inner step's arguments.
    return tf.data.Dataset.zip(tuple(streams))


def _plan(run, stage, title, steps, strategy):
    folder = run.stage_folder(stage)
    if worker_index(strategy) == 0:
        write_json(
            folder / "stage.json", {"direction": run.direction, "steps": steps, "devices": device_names(strategy)}
        )
    config = run.config
    return StagePlan(title, folder, steps, config.log_every, config.checkpoint_every, config.panel_every)


def _check_translation_complete(run):
    done, planned = trained_steps(run, "translation")
    if not planned or done < planned:
        state = f"stopped at step {done} of {planned}" if planned else "has not begun"
        raise RunError(f"{run.folder}: the translation stage {state}; run attent train with --stage all")
