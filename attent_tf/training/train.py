"""Training a method: its stages in order, each on the data that it may see."""

import os
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from attent_tf.configs import AugmentationConfig, Config
from attent_tf.data.batches import batches, held
from attent_tf.data.manifest import read_manifest
from attent_tf.data.slices import SliceArrays
from attent_tf.errors import RecordsError, RunError
from attent_tf.methods import SEGMENTOR, Stage, get_method
from attent_tf.progress import Observer
from attent_tf.runs import Run, create_or_check, describe_stage, load_run, resolve_steps
from attent_tf.runs.networks import begin_parts, check_complete
from attent_tf.runs.reuse import reuse_stage, shared_stage
from attent_tf.training.alignment_watch import AlignmentWatch
from attent_tf.training.checkpoints import has_checkpoint
from attent_tf.training.first_weights import check_first_weights
from attent_tf.training.loop import StagePlan, run_stage
from attent_tf.training.pseudo_labels import mean_structure_shares
from attent_tf.training.self_labels import SelfLabels, volumes_of, with_labels
from attent_tf.training.shown_slices import ShownSlices
from attent_tf.training.steps.step import make_step, step_class
from attent_tf.training.steps.warmed_up import WarmedUpStep
from attent_tf.training.strategies import device_names, make_strategy, replica_batch, wait_for_all, worker_index
from attent_tf.training.translation_signs import judge_translation


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

    Labels of the target domain are read by methods that say so alone (`supervised`); test cases are not read at all.

    Args:
      records: a records folder.
      out: the run folder.
      method: one of `attent_tf.methods.METHODS`.
      direction: a direction of the records' task, such as `mri2ct`.
      config: the configuration of networks, losses and lengths.
      observer: shows progress.
      stage: `all`, or the id of one of the method's stages.
      fresh: refuse to go on with a run that has a checkpoint.
      strategy: the distribution strategy; by default one that uses every GPU, or the CPU.
      translation_from: a run folder whose finished translation stage is taken over, see `attent_tf.runs.reuse`.

    Returns:
      The run.

    Raises:
      AttentError: wrong names, records that do not fit, a run folder of another configuration, or losses that are not finite.
    """
    manifest = read_manifest(records)
    chosen = get_method(method)
    manifest.task.source_and_target(direction)
    try:
        preparation = manifest.prepare_options
    except RecordsError as error:
        raise RecordsError(f"{records}: {error}") from error
    run = Run(Path(out), chosen, direction, config, manifest.fingerprint, preparation, manifest.task)
    stages = chosen.stages if stage == "all" else (chosen.stage(stage),)
    if fresh and any(_has_begun(run, known) for known in chosen.stages):
        raise RunError(f"{run.folder}: holds a checkpoint, and --fresh was given; choose another --out")
    if not all(_has_begun(run, wanted) for wanted in stages):
        check_first_weights(config, manifest.task, run.prepare_options.channels)
    for wanted in stages:
        # Better now than after a night of translation, and before the run folder is made.
        step_class(wanted).check(config, manifest.task, _has_begun(run, wanted))
    strategy = strategy or make_strategy()
    if worker_index(strategy) == 0:
        create_or_check(run, device_names(strategy))
        if translation_from is not None:
            _take_over(run, load_run(translation_from), observer)
    wait_for_all(strategy)
    for wanted in stages:
        # Weights follow from the seed, whichever stages ran before in this process.
        keras.utils.set_random_seed(config.seed)
        _train_stage(run, wanted, ShownSlices(run, wanted, records, manifest, observer), strategy, observer)
        # The chief's last checkpoint is what the next stage begins with.
        wait_for_all(strategy)
    return run


def _has_begun(run: Run, stage: Stage) -> bool:
    return has_checkpoint(run.stage_folder(stage.id) / "checkpoints")


def _take_over(run, donor, observer):
    stage = shared_stage(run, donor)
    if _has_begun(run, stage):
        observer.say(f"{run.folder}: holds a {stage.id} stage; --translation-from is not needed again")
        return
    reuse_stage(run, donor, stage)
    observer.say(f"{stage.name}: taken over from {donor.folder}")


def _train_stage(run: Run, stage: Stage, shown: ShownSlices, strategy, observer):
    for earlier in run.method.stages[: run.method.stages.index(stage)]:
        check_complete(run, earlier.id)
    slices = [shown.load(wanted) for wanted in stage.shown]
    parts = slices[: len(stage.inputs)]
    section, channels = getattr(run.config, stage.section), run.prepare_options.channels
    steps = resolve_steps(section.steps, section.epochs, _slices_in_an_epoch(parts), section.batch_size)
    per_replica = replica_batch(stage.section, section.batch_size, strategy)

    def make_data(first):
        shown_now = [held(part) for part in with_labels(parts, stage, own_labels)]
        return lambda share: _zip_batches(run, stage, per_replica, first, share, *shown_now)

    def begin():
        with strategy.scope():
            begin_parts(run, stage, inner.networks)
            inner.begin()
            inner.begin_averages()

    with strategy.scope():
        step = tf.Variable(0, dtype=tf.int64, name="step")
        inner = make_step(stage, run.config, run.task, run.direction, steps, channels)
        if not _has_begun(run, stage):
            begin()
    own_labels = _self_labels(run, stage, inner, shown, slices, strategy, observer, begin)
    renewal = own_labels or _alignment_watch(run, stage, inner, slices, strategy, observer)
    panel = inner.panel(*(loaded.images for loaded in slices))
    fresh, began = not _has_begun(run, stage), time.perf_counter()
    run_stage(_plan(run, stage, steps, strategy), inner, step, make_data, strategy, observer, panel, renewal)
    if fresh and worker_index(strategy) == 0:
        # Of a stage that was interrupted, nobody knows how long it took in all.
        describe_stage(run, stage.id, seconds=round(time.perf_counter() - began, 1))
    if stage.translated and SEGMENTOR in stage.roles and worker_index(strategy) == 0:
        labels = next(part.labels for part in parts if part.labels is not None)
        translated = slices[stage.shown.index(stage.translated)].images
        judge_translation(run, inner.networks[SEGMENTOR], labels, translated, observer)


def _self_labels(run, stage, inner, shown, slices, strategy, observer, begin) -> SelfLabels | None:
    """What labels the slices that a network of the stage labels; None if there are none."""
    place = stage.self_labelled
    if place is None:
        return None
    wanted, images = stage.inputs[place], slices[place].images
    labelled_place, source = next((index, wanted) for index, wanted in enumerate(stage.inputs) if wanted.labels)
    shares = mean_structure_shares(
        volumes_of(slices[labelled_place].labels, shown.volumes(source)), run.task.num_classes
    )
    network, volumes = inner.networks[wanted.labelled_by], shown.volumes(wanted)
    return SelfLabels(
        run, stage, network, images, volumes, shares, inner.labelling, strategy, observer, begin_again=begin
    )


def _alignment_watch(run, stage, inner, slices, strategy, observer) -> AlignmentWatch | None:
    """What looks at S while it is aligned; None if nothing is aligned or nobody shall look."""
    if not (isinstance(inner, WarmedUpStep) and inner.watched):
        return None
    labelled, target = slices[: len(stage.inputs)]
    return AlignmentWatch(run, stage, inner, target.images, labelled.labels, strategy, observer)


def _slices_in_an_epoch(parts: list[SliceArrays]) -> int:
    labelled = [len(part) for part in parts if part.labels is not None]
    return max(labelled or map(len, parts))


def _zip_batches(run, stage, per_replica, first, share, *parts):
    """Zips the batches of each part; successive elements go to successive replicas."""
    seeds = np.random.SeedSequence(run.config.seed).generate_state(len(parts))
    # A stage that trains a translator on labelled slices does not use it: translators must see images as they are.
    uses = stage.uses("segmentation.augmentation")
    augmentation = run.config.segmentation.augmentation if uses else AugmentationConfig()
    streams = [
        batches(part, run.config.data, per_replica, int(seed) >> 1, run.task.num_classes, first, share, augmentation)
        for part, seed in zip(parts, seeds, strict=True)
    ]
    # A dataset of 1-tuples where there is one part, so that the elements always are the inner step's arguments.
    return tf.data.Dataset.zip(tuple(streams))


def _plan(run, stage, steps, strategy):
    folder = run.stage_folder(stage.id)
    if worker_index(strategy) == 0:
        describe_stage(run, stage.id, steps=steps, devices=device_names(strategy))
    config = run.config
    return StagePlan(stage.name, folder, steps, config.log_every, config.checkpoint_every, config.panel_every)
