"""The training slices that a stage is shown: read from the records, and led through networks of finished stages."""

import os

import numpy as np
import tensorflow as tf

from attent_tf.data.manifest import Manifest
from attent_tf.data.slices import SliceArrays, allocate, load_slices
from attent_tf.methods import Slices, Stage, View
from attent_tf.progress import Observer
from attent_tf.runs import Run
from attent_tf.runs.networks import load_parts

_BATCH = 16


class ShownSlices:
    """Reads what a stage asks for.

    Networks no longer change once their stage is complete, so slices are led through them once for all.

    Args:
      run: whose earlier stages are complete.
      stage: the stage that asks.
      records: the records folder.
      manifest: its manifest.
      observer: shows progress.
    """

    def __init__(self, run: Run, stage: Stage, records: str | os.PathLike, manifest: Manifest, observer: Observer):
        self._run = run
        self._passed = run.method.passed_by(stage)
        self._records = records
        self._manifest = manifest
        self._observer = observer
        self._networks = {}

    def load(self, shown: Slices) -> SliceArrays:
        """Returns slices of all views that count, one view after the other.

        Raises:
          RecordsError: records are damaged, or a case has no labels although they are needed.
          RunError: a network that slices pass cannot be loaded.
        """
        size = self._run.config.data.image_size
        read = load_slices(self._records, self._manifest, self._domain(shown), "train", size, labels=shown.labels)
        images = [self._seen(view, read.images, shown.domain) for view in shown.views if self._counts(view)]
        labels = None if read.labels is None else _one_after_other([read.labels] * len(images))
        return SliceArrays(_one_after_other(images), labels)

    def volumes(self, shown: Slices) -> list[int]:
        """Returns how many slices each case has, in the order in which one view of `shown` shows them."""
        return [case.slices for case in self._manifest.select(self._domain(shown), "train")]

    def _domain(self, shown: Slices) -> str:
        return self._run.source if shown.domain == "source" else self._run.target

    def _counts(self, view: View) -> bool:
        value = self._run.config
        for key in view.option.split(".") if view.option else ():
            value = getattr(value, key)
        return not view.option or bool(value)

    def _seen(self, view: View, images: np.ndarray, domain: str) -> np.ndarray:
        if not view.through:
            return images
        passed = [self._network(role) for role in view.through]

        @tf.function(autograph=False, reduce_retracing=True)
        def through(batch):
            for network in passed:
                batch = network(batch, training=False)
            return batch

        result = allocate(images.shape, images.dtype)
        title = f"{domain.capitalize()} slices through {', '.join(network.name for network in passed)}"
        with self._observer.stage(title, len(images), 0) as bar:
            for start in range(0, len(images), _BATCH):
                part = slice(start, start + _BATCH)
                result[part] = through(tf.constant(images[part])).numpy()
                bar.update(len(images[part]))
        return result

    def _network(self, role: str):
        if not self._networks:
            # All at once and in one order, whichever views count: the weights of the stage's own networks are drawn after them.
            self._networks = dict(zip(self._passed, load_parts(self._run, *self._passed), strict=True))
        return self._networks[role]


def _one_after_other(arrays: list[np.ndarray]) -> np.ndarray:
    if len(arrays) == 1:
        return arrays[0]
    joined = allocate((sum(map(len, arrays)), *arrays[0].shape[1:]), arrays[0].dtype)
    start = 0
    for array in arrays:
        joined[start : start + len(array)] = array
        start += len(array)
    return joined
