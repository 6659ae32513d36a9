"""Target slices that a network of the stage labels: at intervals anew, and kept in the stage's folder.

Labels of a step follow from the weights of that step, and a run that goes on between two times reads those that it had, so that
it learns what an undisturbed run would have learned.
"""

import io
import itertools
import zipfile
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from attent_tf.configs import PseudoLabelConfig
from attent_tf.data.slices import SliceArrays, allocate
from attent_tf.errors import RunError
from attent_tf.files import write_bytes
from attent_tf.methods import Stage
from attent_tf.progress import Observer
from attent_tf.runs import Run, describe_stage, stage_description
from attent_tf.training.pseudo_labels import Proposal, PseudoLabels, make_pseudo_labels, propose
from attent_tf.training.strategies import wait_for_all, worker_index

_BATCH = 16


class SelfLabels:
    """The labels of a stage's target slices (a `training.loop.Renewal`).

    Args:
      run: whose stage it is.
      stage: with slices that are `labelled_by` one of its networks.
      network: that one, under `strategy`.
      images: [view · slice, size, size, channels] of these slices, one view after the other.
      volumes: slices of each target volume, in the order in which a view shows them.
      source_shares: [structure] of labelled source volumes, see `pseudo_labels.mean_structure_shares`.
      config: how slices are labelled.
      strategy: the distribution strategy.
      observer: shows progress.
      begin_again: gives the networks the weights that the stage began with.
    """

    def __init__(
        self,
        run: Run,
        stage: Stage,
        network: Callable,
        images: np.ndarray,
        volumes: Sequence[int],
        source_shares: np.ndarray,
        config: PseudoLabelConfig,
        strategy: tf.distribute.Strategy,
        observer: Observer,
        begin_again: Callable[[], None],
    ):
        self._run, self._stage, self._network = run, stage, network
        self._images = images
        self._volumes = volumes
        self._source_shares = source_shares
        self._config = config
        self._strategy = strategy
        self._observer = observer
        self._begin_again = begin_again
        self._probabilities = tf.function(self._probabilities, autograph=False, reduce_retracing=True)
        # Slices of the volumes that remain, with codes of `pseudo_labels` as labels; from `begin` on.
        self.slices: SliceArrays | None = None

    def next_time(self, position: int) -> int:
        """Returns the step at which all volumes are labelled next."""
        return (position // self._config.every + 1) * self._config.every

    def finish(self, position: int) -> None:
        """Does nothing: labels that no step would learn from are not made."""

    def begin(self, position: int) -> bool:
        """Labels all volumes where `position` is the time for it, and reads the labels that count from there on.

        Returns:
          False where too few volumes can be labelled reliably. Then the networks have the weights that they began with.

        Raises:
          RunError: the labels that the stage had are missing or damaged.
        """
        made_at = position - position % self._config.every
        if made_at == position:
            labels = make_pseudo_labels(self._proposals(), self._source_shares, self._config, first=not made_at)
            if worker_index(self._strategy) == 0:
                self._keep(labels, made_at)
            # Batch statistics, and so labels, are each worker's own; the chief's count.
            wait_for_all(self._strategy)
        codes, chosen, refusal = self._read(made_at)
        if refusal:
            self._refuse(refusal, made_at)
            return False
        self.slices = self._chosen(codes, chosen)
        return True

    def _proposals(self) -> list[Proposal]:
        count = sum(self._volumes)
        starts = itertools.accumulate(self._volumes[:-1], initial=0)
        views = [self._images[offset : offset + count] for offset in range(0, len(self._images), count)]
        proposals = []
        for start, slices in zip(starts, self._volumes, strict=True):
            shown = [view[start : start + slices] for view in views]
            proposals.append(propose([self._predict(images) for images in shown], self._altered(shown)))
        return proposals

    def _altered(self, shown):
        """What the only path says of other grey values: in [0, 1], x becomes x^gamma."""
        if len(shown) > 1 or self._config.gamma == 1:
            return None
        inside = np.clip(0.5 * (np.asarray(shown[0]) + 1), 0, 1)
        return self._predict((2 * inside**self._config.gamma - 1).astype(np.float32))

    def _predict(self, images):
        starts = range(0, len(images), _BATCH)
        return np.concatenate(
            [self._probabilities(tf.constant(images[start : start + _BATCH])).numpy() for start in starts]
        )

    def _probabilities(self, images):
        return tf.nn.softmax(tf.cast(self._network(images, training=False).main, tf.float32))

    def _keep(self, labels: PseudoLabels, step: int) -> None:
        """Writes labels and what is to be known of them."""
        content = io.BytesIO()
        codes, chosen = np.concatenate(labels.codes), np.array(labels.chosen)
        np.savez_compressed(content, codes=codes, chosen=chosen, refusal=np.array(labels.refusal or ""))
        write_bytes(self._path(step), content.getvalue())
        task = self._run.task
        kept = {name: round(share, 4) for name, share in zip(task.class_names, labels.kept, strict=True)}
        facts = {
            "volumes": len(chosen),
            "chosen": int(chosen.sum()),
            "left_out": {why: labels.reasons.count(why) for why in sorted(set(labels.reasons) - {""})},
            "thresholds": dict(zip(task.class_names, labels.thresholds, strict=True)),
            "kept": kept,
            "agreement": [round(agreement, 4) for agreement in labels.agreements],
            "organ_shares": _by_structure(task, labels.shares),
            "source_organ_shares": _by_structure(task, self._source_shares),
        }
        earlier = stage_description(self._run.folder, self._stage.id).labels
        describe_stage(self._run, self._stage.id, labels={**earlier, str(step): facts})
        shares = ", ".join(f"{title.lower()} {kept[name]:.0%}" for name, title in task.titles.items())
        self._observer.say(
            f"{self._stage.title}: step {step}, {facts['chosen']} of {facts['volumes']} target volumes labelled; pixels that "
            f"count: {shares}"
        )

    def _refuse(self, refusal: str, step: int) -> None:
        self._begin_again()
        line = f"{self._stage.title} was refused at step {step}: {refusal}; the weights that it began with are kept."
        if worker_index(self._strategy) == 0:
            describe_stage(self._run, self._stage.id, refused=line)
            self._observer.say(f"Warning: {line}")

    def _chosen(self, codes, chosen):
        codes_of_views = [codes] * (len(self._images) // len(codes))
        if all(chosen):
            return SliceArrays(self._images, np.concatenate(codes_of_views))
        in_view = np.flatnonzero(np.repeat(chosen, self._volumes))
        index = np.concatenate([in_view + view * len(codes) for view in range(len(codes_of_views))])
        images = allocate((len(index), *self._images.shape[1:]), self._images.dtype)
        for position, source in enumerate(index):
            images[position] = self._images[source]
        return SliceArrays(images, np.concatenate(codes_of_views)[index])

    def _read(self, step) -> tuple[np.ndarray, np.ndarray, str]:
        path = self._path(step)
        try:
            with np.load(path) as content:
                codes, chosen, refusal = content["codes"], content["chosen"], str(content["refusal"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(
                f"{path}: expected the labels that the stage had from step {step} on, found none that can be read "
                f"({type(error).__name__}); train again"
            ) from error
        if len(codes) != sum(self._volumes) or len(chosen) != len(self._volumes):
            raise RunError(f"{path}: expected labels of {sum(self._volumes)} slices, found {len(codes)}; train again")
        return codes, chosen, refusal

    def _path(self, step):
        return self._run.stage_folder(self._stage.id) / f"labels-{step}.npz"


def _by_structure(task, shares):
    return {name: round(float(share), 4) for name, share in zip(task.structure_names, shares, strict=True)}


def with_labels(parts: Sequence[SliceArrays], stage: Stage, labels: SelfLabels | None) -> list[SliceArrays]:
    """Returns a stage's `inputs` with the slices that it labels itself in their place."""
    place = stage.self_labelled
    return [labels.slices if labels and index == place else part for index, part in enumerate(parts)]


def volumes_of(labels: np.ndarray, volumes: Sequence[int]) -> list[np.ndarray]:
    """Parts label maps [slice, row, column] of one or more views into those of each volume, of the first view."""
    return np.split(labels[: sum(volumes)], np.cumsum(volumes)[:-1])
