"""A data set for nnU-Net out of a run: labelled source scans in target style, and target scans with the run's own labels.

All volumes keep the grid of the scans that the records were made from. Target scans count as training cases only where the
label-free signs of `attent check`, taken on each of them alone, pass. No label of the target is used.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from attent_tf.data.manifest import Manifest, ManifestCase, read_manifest
from attent_tf.datasets import CaseFiles
from attent_tf.datasets.nnunet import DATASET_FILE, TEST_IMAGES, TRAINING_IMAGES, TRAINING_LABELS, image_name
from attent_tf.errors import ConfigError, RecordsError
from attent_tf.files import folder_written_aside, write_json
from attent_tf.inference.chain import load_chain
from attent_tf.inference.check import add_case
from attent_tf.inference.nnunet_documents import DatasetJson, LeftOut, Origin
from attent_tf.inference.original_scans import OriginalScans, find_originals, read_stored_original
from attent_tf.inference.preparation import check_preparation
from attent_tf.inference.signs import SignTaker
from attent_tf.inference.target_style import load_target_style
from attent_tf.inference.volumes import Segmentation, segment_prepared, style_range, translate_prepared
from attent_tf.postprocessing import Postprocessing
from attent_tf.progress import Observer
from attent_tf.runs import Run
from attent_tf.signs import AMBER, VERDICTS, Signs
from attent_tf.tasks import BACKGROUND, Domain, IntensityRule
from attent_tf.versions import package_versions
from attent_tf.volumes import PreparedCase, Volume, prepare, restore_image, write_labels, write_scan
from attent_tf.volumes.placement import is_sheared

ORIGINS_FILE = "origins.json"
ENDING = ".nii.gz"
_FORMAT = 1

# What a case of the data set is.
TRANSLATED, PSEUDO_LABELLED, TEST = "translated source", "pseudo-labelled target", "target for testing"
_KINDS = (TRANSLATED, PSEUDO_LABELLED, TEST)

# Names of channels by which nnU-Net chooses how intensities are normalised; any other one stands for a z-score of each scan.
_CT = "CT"
_MEANS_SOMETHING = ("ct", "nonorm", "zscore", "rescale_to_0_1", "rgb_to_0_1")


@dataclasses.dataclass(frozen=True)
class LeftOutCase:
    """A target case whose labels by the run are not to be trusted, and which signs say so."""

    case: str
    reason: str


@dataclasses.dataclass(frozen=True)
class NnunetFolder:
    """A data set for nnU-Net that was written.

    Attributes:
      folder: the data set.
      cases: names of its cases, by what they are: `TRANSLATED`, `PSEUDO_LABELLED` or `TEST`.
      left_out: target cases that did not pass.
    """

    folder: Path
    cases: Mapping[str, tuple[str, ...]]
    left_out: tuple[LeftOutCase, ...]


def write_nnunet(
    run: Run,
    records: str | os.PathLike,
    scans: Mapping[str, OriginalScans],
    out: str | os.PathLike,
    observer: Observer,
    accept: str = AMBER,
    postprocessing: Postprocessing | None = None,
) -> NnunetFolder:
    """Writes a data set in nnU-Net's raw layout.

    `imagesTr` and `labelsTr` hold the training cases of the records: those of the source that have labels, translated to the
    target, and those of the target that pass, with the run's label maps. `imagesTs` holds the target's test cases, without
    labels. Intensities of the target are cut and scaled to the range that translations have. Where a translation shows nothing,
    because the networks' grid ends there, labels are background.

    Args:
      run: a trained run.
      records: a records folder, prepared like the run's training records.
      scans: name of a domain -> the scans that its records were made from; the source, the target or both.
      out: the folder to make; nnU-Net requires the name `DatasetNNN_NAME`.
      observer: shows progress.
      accept: the worst verdict of a sign with which a target scan passes.
      postprocessing: what is done to the run's label maps; the run's own if None.

    Raises:
      AttentError: no such run or records, none of the cases needed, a method that cannot translate to the target, or other
        scans than those that the records were made from.
    """
    for name in scans:
        if name not in (run.source, run.target):
            raise ConfigError(f"scans of {name}: expected {run.source} or {run.target}, the domains of {run.folder}")
    manifest = read_manifest(records)
    check_preparation(run, records, manifest)
    done = run.postprocessing if postprocessing is None else postprocessing
    writer = _Writer(run, records, manifest, scans, observer, accept, done)
    # Before any network runs, so that a wrong folder is reported at once.
    files = writer.find()
    with folder_written_aside(out) as folder:
        for name in (TRAINING_IMAGES, TRAINING_LABELS):
            (folder / name).mkdir()
        writer.write(folder, files)
        trained = [origin for origin in writer.origins if origin["is"] != TEST]
        if not trained:
            reasons = (
                "; ".join(f"{case['case']}: {case['reason']}" for case in writer.left_out)
                or "there are only test cases"
            )
            raise RecordsError(
                f"{records}: expected a case to train on, found none that passes ({reasons}); give the scans of {run.source} too"
            )
        about = {"format": _FORMAT, "run": run.describe(), "records": manifest.fingerprint, "accepted": accept}
        made = {"postprocessing": writer.postprocessing.to_json(), "versions": package_versions()}
        write_json(folder / ORIGINS_FILE, about | made | {"cases": writer.origins, "left_out": writer.left_out})
        # Last: a folder without it is none.
        write_json(folder / DATASET_FILE, dataset_json(run, Path(out).name, len(trained), writer.sheared))
    cases = {kind: tuple(origin["case"] for origin in writer.origins if origin["is"] == kind) for kind in _KINDS}
    return NnunetFolder(Path(out), cases, tuple(LeftOutCase(case["case"], case["reason"]) for case in writer.left_out))


@dataclasses.dataclass
class _Writer:
    """Writes case by case.

    Attributes:
      origins: the origin of each case that was written.
      left_out: each case that was left out, and why.
      sheared: whether axes of some scan are not perpendicular.
    """

    run: Run
    records: str | os.PathLike
    manifest: Manifest
    scans: Mapping[str, OriginalScans]
    observer: Observer
    accept: str
    postprocessing: Postprocessing
    origins: list[Origin] = dataclasses.field(default_factory=list)
    left_out: list[LeftOut] = dataclasses.field(default_factory=list)
    sheared: bool = False

    def __post_init__(self):
        self.policy = str(self.manifest.options.get("orientation_policy", "strict"))
        self.target = self.run.task.domain(self.run.target)
        source, target = self.run.source, self.run.target
        trained = {name: self.manifest.select(name, "train") for name in (source, target)}
        self.cases = {
            TRANSLATED: [case for case in trained[source] if case.labelled] if source in self.scans else [],
            PSEUDO_LABELLED: list(trained[target]) if target in self.scans else [],
            # A case that trains as well is no test case.
            TEST: [case for case in self.manifest.select(target, "test") if case.split == "test"]
            if target in self.scans
            else [],
        }

    def find(self) -> dict[str, CaseFiles]:
        """Returns the files of all cases that may be written, by their names."""
        found = {}
        for name, scans in self.scans.items():
            cases = [case for cases in self.cases.values() for case in cases if case.domain == name]
            if not cases:
                expected = "labelled training cases" if name == self.run.source else "cases"
                raise RecordsError(
                    f"{self.records}: expected {expected} of {name}, found none; leave its scans out, or preprocess with them"
                )
            found |= find_originals(scans, self.manifest.task, cases)
        return found

    def write(self, folder: Path, files: Mapping[str, CaseFiles]) -> None:
        """Writes all cases into the folder."""
        if self.cases[TRANSLATED]:
            style = load_target_style(self.run)
            title = f"Translate {self.run.source} to {self.run.target}"
            for case, report in self._shown(title, self.cases[TRANSLATED]):
                self._translate(folder, case, files[case.case], style, report)
        if self.cases[PSEUDO_LABELLED]:
            chain = load_chain(self.run)
            taker = SignTaker(self.run, chain, self.records, self.manifest)
            for case, report in self._shown(f"Check and segment {self.run.target}", self.cases[PSEUDO_LABELLED]):
                self._pseudo_label(folder, case, files[case.case], chain, taker, report)
        if self.cases[TEST]:
            (folder / TEST_IMAGES).mkdir()
            for case, report in self._shown(f"Write test cases of {self.run.target}", self.cases[TEST]):
                volume, prepared = self._read(case, files[case.case])
                self._add(folder, case, TEST, prepared, self._in_range(volume, prepared))
                report(case.slices)

    def _shown(self, title: str, cases: list[ManifestCase]) -> Iterator[tuple[ManifestCase, Callable[[int], None]]]:
        """Yields each case with what is said of its slices; a case counts its slices once, whatever goes over them."""
        with self.observer.stage(title, sum(case.slices for case in cases), 0) as bar:
            for case in cases:
                left = [case.slices]

                def report(count: int, left: list[int] = left) -> None:
                    count = min(count, left[0])
                    left[0] -= count
                    bar.update(count)

                yield case, report
                bar.update(left[0])

    def _translate(self, folder, case, files, style, report) -> None:
        volume = read_stored_original(files, case, self.policy)
        prepared = self._prepared(volume)
        image = translate_prepared(style, prepared, self.run.prepare_options, self.target, report)
        seen = restore_image(np.ones(prepared.images.shape, np.float32), prepared.geometry, 0.0) > 0
        self._add(folder, case, TRANSLATED, prepared, image, np.where(seen, volume.labels, np.uint8(0)))

    def _pseudo_label(self, folder, case, files, chain, taker, report) -> None:
        taker.restart()
        add_case(taker, chain, self.records, self.manifest, case.case, report)
        signs = taker.signs()
        told = {sign.id: {"value": sign.value, "verdict": sign.verdict} for sign in signs.signs}
        if reason := _reason(signs, self.accept):
            self.left_out.append({"case": case.case, "reason": reason, "signs": told})
            return
        volume, prepared = self._read(case, files)
        answer = Segmentation.blank(prepared, self.run.task.num_classes)
        segment_prepared(chain, prepared, answer, postprocessing=self.postprocessing)
        image = self._in_range(volume, prepared)
        self._add(folder, case, PSEUDO_LABELLED, prepared, image, answer.labels, signs=told)

    def _read(self, case: ManifestCase, files: CaseFiles) -> tuple[Volume, PreparedCase]:
        """A target scan; the labels that it may have are dropped unseen."""
        volume = dataclasses.replace(read_stored_original(files, case, self.policy), labels=None)
        return volume, self._prepared(volume)

    def _prepared(self, volume: Volume) -> PreparedCase:
        return prepare(dataclasses.replace(volume, labels=None), self.run.prepare_options)

    def _in_range(self, volume: Volume, prepared: PreparedCase) -> np.ndarray:
        return in_style_range(volume.voxels, prepared, self.run.prepare_options.intensity_rule(self.target))

    def _add(self, folder: Path, case: ManifestCase, origin, prepared, image, labels=None, **more) -> None:
        """Writes the files of a case, and keeps where they come from."""
        images = TEST_IMAGES if origin == TEST else TRAINING_IMAGES
        paths = {"image": f"{images}/{image_name(case.case)}{ENDING}"}
        write_scan(folder / paths["image"], image, prepared.placement, np.float32)
        if labels is not None:
            paths["labels"] = f"{TRAINING_LABELS}/{case.case}{ENDING}"
            write_labels(folder / paths["labels"], labels, prepared.placement)
        self.sheared |= is_sheared(prepared.geometry.affine)
        intensity = prepared.geometry.intensity
        self.origins.append(
            {
                "case": case.case,
                "is": origin,
                **paths,
                **{key: getattr(case, key) for key in ("domain", "dataset", "patient", "split", "sha256")},
                "intensity": {"rule": intensity.rule, "low": intensity.low, "high": intensity.high},
                **more,
            }
        )


def in_style_range(voxels: np.ndarray, prepared: PreparedCase, rule: IntensityRule) -> np.ndarray:
    """Cuts a scan as the networks see it, and gives it the unit that translations into its domain have.

    Args:
      voxels: [i, j, k] raw intensities.
      prepared: the prepared case of the same scan.
      rule: the rule of its domain.

    Returns:
      [i, j, k] float32: the raw values within the rule's window; 0 … 1000 where each scan has values of its own.
    """
    intensity = prepared.geometry.intensity
    if rule.kind == "window":
        return np.clip(np.asarray(voxels, np.float32), np.float32(rule.low), np.float32(rule.high))
    low, high = style_range(rule)
    return np.float32(low) + np.float32((high - low) / 2) * (intensity.normalise(voxels) + np.float32(1))


def channel_name(domain: Domain, rule: IntensityRule) -> str:
    """Returns the name of the only channel, by which nnU-Net chooses how it normalises: `CT` for Hounsfield units alone."""
    if domain.kind == "ct" and rule.kind == "window":
        return _CT
    return "zscore" if domain.title.lower() in _MEANS_SOMETHING else domain.title


def dataset_json(run: Run, name: str, count: int, sheared: bool) -> DatasetJson:
    """Returns what `dataset.json` says.

    Args:
      run: the run that made the data set.
      name: the name of the data set.
      count: number of training cases.
      sheared: whether axes of some scan are not perpendicular.
    """
    domain = run.task.domain(run.target)
    labels = {BACKGROUND: 0} | {structure: number for number, structure in enumerate(run.task.structure_names, start=1)}
    content: DatasetJson = {
        "channel_names": {"0": channel_name(domain, run.prepare_options.intensity_rule(domain))},
        "labels": labels,
        "numTraining": count,
        "file_ending": ENDING,
        "name": name,
        "description": f"{run.task.title}: {run.source} in the style of {run.target}, and {run.target} with labels by "
        f"{run.method.title}; see {ORIGINS_FILE}",
    }
    if sheared:
        # ITK, which nnU-Net reads with otherwise, takes no axes at odd angles.
        content["overwrite_image_reader_writer"] = "NibabelIO"
    return content


def _reason(signs: Signs, accept: str) -> str:
    """What keeps a scan from passing; empty if nothing does."""
    worse = [sign for sign in signs.signs if VERDICTS.index(sign.verdict) > VERDICTS.index(accept)]
    if not signs.signs:
        return "no sign could be taken"
    return ", ".join(f"{sign.title.lower()} {sign.value:.2f} is {sign.verdict}" for sign in worse)
