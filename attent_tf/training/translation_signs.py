"""After S was trained on a translation: whether that translation has likely failed."""

import numpy as np
import tensorflow as tf

from attent_tf.methods import TO_SOURCE, TO_TARGET
from attent_tf.models import DeepLabV2
from attent_tf.progress import Observer
from attent_tf.runs import Run
from attent_tf.runs.networks import load_parts
from attent_tf.runs.translation_check import check_translation, write_check

_BATCH = 16


def judge_translation(
    run: Run, segmentor: DeepLabV2, source_labels: np.ndarray, translated: np.ndarray, observer: Observer
) -> None:
    """Says, and keeps for the report, whether the translation has likely failed; no label of the target is read.

    Args:
      run: the run with a finished translation both ways.
      segmentor: S as trained on it.
      source_labels: [slice, size, size] uint8 class indices of labelled source slices.
      translated: [slice, size, size, channels] float32, target training slices in source style.
      observer: is told a warning.
    """
    to_source, to_target = load_parts(run, TO_SOURCE, TO_TARGET)

    @tf.function(autograph=False, reduce_retracing=True)
    def segment_twice(images):
        again = to_source(to_target(images, training=False), training=False)
        return [tf.argmax(segmentor(shown, training=False).main, axis=-1) for shown in (images, again)]

    starts = range(0, len(translated), _BATCH)
    parts = [segment_twice(tf.constant(translated[start : start + _BATCH])) for start in starts]
    once, again = (np.concatenate([part[i].numpy() for part in parts]).astype(np.uint8) for i in (0, 1))
    check = check_translation(source_labels, once, again, list(run.task.titles.values()))
    write_check(run.folder, check)
    if check.warning:
        observer.say(f"Warning: {check.warning}")
