"""Taking the signs of a run: its networks are shown target slices as they are, mapped, scaled, and translated there and back.

Nothing here reads a label of the target.
"""

import itertools
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf.data.intensity_maps import monotone_maps
from attent_tf.data.manifest import Manifest
from attent_tf.data.reader import read_records
from attent_tf.data.slices import average_down
from attent_tf.deployment.output import ChainOutput
from attent_tf.errors import RunError
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import Chain, Route
from attent_tf.inference.preparation import intensity_of
from attent_tf.methods import TO_SOURCE, TO_TARGET
from attent_tf.runs import Run
from attent_tf.runs.networks import load_parts
from attent_tf.signs import (
    Measured,
    Signs,
    StructureCounts,
    count_overlap,
    count_structures,
    even_choice,
    judge,
    main_part_shares,
    no_overlap,
    scale_images,
    scale_labels_back,
    sum_on_foreground,
)
from attent_tf.volumes import SLICE

# Of a case, the slices that are shown again; structures span dozens, and neighbours say the same.
SLICES_SHOWN_AGAIN = 8
# Source cases whose entropy the target's is held against.
_SOURCE_CASES = 4
_SCALES = (0.9, 1.1)
# Of `monotone_maps`: curves alone, without factor and shift.
_GREY_SCALE = _GREY_SHIFT = 0.0
_GREY_SEED = 0
_BATCH = 8


class SignTaker:
    """Counts case by case what the signs of a run are made of.

    Args:
      run: a trained run.
      chain: its deployed networks.
      records: a records folder, whose training cases of the source are held against; it may have none.
      manifest: its manifest.
    """

    def __init__(self, run: Run, chain: Chain, records: str | os.PathLike, manifest: Manifest):
        self._run, self._records, self._manifest = run, records, manifest
        self._chain = chain.at_network_size()
        self._classes = run.task.num_classes
        self._reasons: dict[str, str] = {}
        self._again = self._ways_again()
        self._source_counts = None
        self.restart()

    def restart(self) -> None:
        """Forgets the cases that were added, so that the next ones are judged without them."""
        self._overlaps = dict.fromkeys(self._again, no_overlap(self._classes))
        self._cases: list[str] = []
        self._slices = 0
        self._target, self._islands, self._entropy = StructureCounts.none(self._classes), [], np.zeros(2)

    def add(self, case: str, images: np.ndarray, labels: np.ndarray, entropy: np.ndarray) -> None:
        """Adds the counts of a case that was segmented.

        Args:
          case: its name.
          images: [slice, edge, edge, channels] float32 in [−1, 1], as the records hold them.
          labels: [slice, edge, edge] uint8 class indices as predicted.
          entropy: [slice, edge, edge] float32 of the prediction.
        """
        self._cases.append(case)
        self._target += count_structures(labels, self._classes)
        self._islands.append(main_part_shares(labels, self._classes))
        self._entropy = self._entropy + sum_on_foreground(entropy, labels)
        shown = self._reduced(images[even_choice(len(images), SLICES_SHOWN_AGAIN)])
        before = self._segmented(self._chain, shown)
        for name, way in self._again.items():
            self._overlaps[name] = self._overlaps[name] + way(shown, before)
        self._slices += len(shown)

    def signs(self) -> Signs:
        """Returns the signs of all cases that were added."""
        if self._source_counts is None:
            self._source_counts = self._source()
        source, source_entropy = self._source_counts
        return judge(
            Measured(
                self._run.task.structure_names,
                tuple(self._cases),
                self._slices,
                self._target,
                np.array(self._islands).reshape(len(self._cases), -1),
                self._entropy,
                self._overlaps,
                source,
                source_entropy,
                self._reasons,
            )
        )

    def _ways_again(self) -> dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        """sign -> function of slices and their prediction that returns the overlap with what is predicted another way."""
        ways = {"grey": self._grey, "scale": self._scaled}
        roles = {role for stage in self._run.method.stages for role in stage.roles}
        if not {TO_SOURCE, TO_TARGET} <= roles:
            self._reasons["cycle"] = "the method has no translators both ways"
        elif (translators := self._loaded(TO_SOURCE, TO_TARGET)) is None:
            self._reasons["cycle"] = "the run's translators cannot be loaded"
        else:
            self._cycle = _Cycle(self._chain, *translators)
            ways["cycle"] = self._cycled
        if len(self._chain.routes) > 1:
            self._paths = [Chain([route], self._chain.image_size) for route in self._chain.routes]
            ways["paths"] = self._other_paths
        else:
            self._reasons["paths"] = "the method deploys one path"
        return ways

    def _grey(self, images, before):
        positions = self._slices + np.arange(len(images), dtype=np.int64)
        seeds = np.stack([np.full_like(positions, _GREY_SEED), positions], axis=1)
        mapped = monotone_maps(tf.constant(images), tf.constant(seeds), _GREY_SCALE, _GREY_SHIFT).numpy()
        return count_overlap(before, self._segmented(self._chain, mapped), self._classes)

    def _scaled(self, images, before):
        overlap = no_overlap(self._classes)
        for factor in _SCALES:
            labels = self._segmented(self._chain, scale_images(images, factor))
            back, inside = scale_labels_back(labels, factor)
            overlap = overlap + count_overlap(before, back, self._classes, inside)
        return overlap

    def _cycled(self, images, before):
        return count_overlap(before, self._segmented(self._cycle, images), self._classes)

    def _other_paths(self, images, before):
        del before
        found = [self._segmented(path, images) for path in self._paths]
        pairs = itertools.combinations(found, 2)
        return sum((count_overlap(*pair, self._classes) for pair in pairs), no_overlap(self._classes))

    def _source(self) -> tuple[StructureCounts | None, np.ndarray | None]:
        cases = [case for case in self._manifest.select(self._run.source, "train") if case.labelled]
        if not cases:
            reason = f"the records hold no labelled training cases of {self._run.source}"
            self._reasons.update(dict.fromkeys(("shares", "empty", "entropy"), reason))
            return None, None
        through = self._source_view()
        # As many slices where each case is but one.
        apart = all(case.geometry.space == SLICE for case in cases)
        count = _SOURCE_CASES * (SLICES_SHOWN_AGAIN if apart else 1)
        chosen = () if through is None else even_choice(len(cases), count)
        shown = {cases[place].case for place in chosen}
        counts, entropy = StructureCounts.none(self._classes), np.zeros(2)
        training = read_records(self._records, self._manifest, self._run.source, "train")
        for name, group in itertools.groupby(training, key=lambda record: record.case):
            records = list(group)
            if records[0].label is None:
                continue
            counts += count_structures(np.stack([record.label for record in records]), self._classes)
            if name in shown:
                places = even_choice(len(records), SLICES_SHOWN_AGAIN)
                images = self._reduced(np.stack([records[place].channels for place in places]))
                for _, output in run_slices(through, images, _BATCH):
                    entropy += sum_on_foreground(output.entropy[..., 0], output.labels)
        return counts, None if through is None else entropy

    def _source_view(self) -> Chain | None:
        """The way of source slices through what S was trained on; None if the method has no such way."""
        method = self._run.method
        stage = method.stage_of(method.deployment[0].roles[-1])
        labelled = next((slices for slices in stage.inputs if slices.labels and slices.domain == "source"), None)
        # Where translators are trained beside S, its images are theirs of each step.
        if labelled is None or {TO_SOURCE, TO_TARGET} & set(stage.roles):
            self._reasons["entropy"] = "the deployed segmentor is not trained on labelled source slices as they come"
            return None
        source, records = self._run.source, self._manifest
        found = intensity_of(records.prepare_options, records.task, source)
        if found != intensity_of(self._run.prepare_options, self._run.task, source):
            self._reasons["entropy"] = f"the records' {source} slices were not prepared like the run's"
            return None
        translators = self._loaded(*labelled.views[0].through)
        if translators is None:
            self._reasons["entropy"] = "the run's translators cannot be loaded"
            return None
        return Chain([Route(self._chain.routes[0].segmentor, tuple(translators))], self._chain.image_size)

    def _loaded(self, *roles: str) -> list | None:
        """Networks that the run may be deployed without; None if they are gone."""
        try:
            return load_parts(self._run, *roles)
        except RunError:
            return None

    def _reduced(self, images: np.ndarray) -> np.ndarray:
        return np.stack([average_down(image, self._chain.image_size) for image in images])

    def _segmented(self, chain: "Chain | _Cycle", images: np.ndarray) -> np.ndarray:
        return np.concatenate([output.labels for _, output in run_slices(chain, images, _BATCH)])


class _Cycle(tf.Module):
    """The chain behind a way to the source and back: what it makes of G_s2t(G_t2s(x))."""

    def __init__(self, chain, to_source, to_target):
        super().__init__(name="cycle")
        self._chain, self._to_source, self._to_target = chain, to_source, to_target

    @tf.function(autograph=False, reduce_retracing=True)
    def __call__(self, images: tf.Tensor) -> ChainOutput:
        return self._chain(self._to_target(self._to_source(images, training=False), training=False))
