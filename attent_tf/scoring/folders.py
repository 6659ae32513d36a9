"""Folders of label maps, from any tool, scored like a run of this library.

Each case is scored on the voxels of its reference. What cannot be read or does not lie there is listed and never dropped:
a case without a usable prediction counts as one in which nothing was found, so that no failure improves a mean.
"""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attent_tf.choices import OrientationPolicy
from attent_tf.datasets.matching import image_groups, paths_below
from attent_tf.errors import InputError, faults_of_scan
from attent_tf.evaluation.case_result import CaseFailure, CaseResult
from attent_tf.evaluation.folder import Evaluation, write_evaluation
from attent_tf.evaluation.header import GivenHeader
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, find_protocol
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing
from attent_tf.progress import Observer
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport
from attent_tf.scoring.images import CaseImages
from attent_tf.scoring.label_map import LabelMap, LabelSide
from attent_tf.scoring.pairing import CasePair, pair_folders
from attent_tf.scoring.reading import onto_grid, read_side
from attent_tf.storage import list_files
from attent_tf.volumes.orientation import canonical_affine, canonical_view
from attent_tf.volumes.placement import sheared_axes_mm, spacing_mm

# What a command ends with where some cases could not be scored as they stand.
EXIT_INCOMPLETE = 3

EMPTY_PREDICTION = "an empty prediction"
NOT_SCORED = "not scored"

GRID_TEXT = (
    "Each case is scored on the voxels of its reference file, whatever grid the protocol's text names, with the labels as they "
    "stand in both files. A prediction in another axis order is turned exactly; one on other voxels is a failure and never "
    "resampled."
)
FAILURES_TEXT = (
    "A prediction that is missing or cannot be used counts as an empty one: every structure of the reference is missed, with "
    "Dice 0 and an infinite distance. A case whose reference is missing or cannot be used is listed and not scored."
)
_SELECTION = "Label maps from files; how the model behind them was chosen is not known here."


def score_folders(
    predictions: str | os.PathLike,
    references: str | os.PathLike,
    out: str | os.PathLike,
    observer: Observer,
    label_map: LabelMap,
    name: str = "",
    protocol: str = DEFAULT_PROTOCOL,
    images: str | os.PathLike | None = None,
    overwrite: bool = False,
    orientation_policy: OrientationPolicy = "strict",
    postprocessing: Postprocessing = NO_POSTPROCESSING,
) -> Evaluation:
    """Scores a folder of predicted label maps against a folder of references.

    Args:
      predictions: folder of NIfTI label maps or masks.
      references: likewise.
      out: the evaluation folder to make.
      observer: shows progress.
      label_map: how files are called and what their numbers mean, for the structures of its task.
      name: the name of the method in tables; that of the folder `predictions` if empty.
      protocol: see `attent_tf.metrics.protocols`.
      images: folder with the scans, for the report; without it, the report shows label maps alone.
      overwrite: whether an evaluation folder that is there may be replaced.
      orientation_policy: for files whose codes of sform and qform are 0, see `read_nifti`.
      postprocessing: what is done to predictions before they are scored.

    Returns:
      The evaluation; `failures` lists what could not be scored as it stands.

    Raises:
      InputError: a folder is missing, no case is in both, or none can be read.
      ConfigError: there is no such protocol.
    """
    predicted, expected = (
        _listed(root, side) for root, side in zip((predictions, references), _sides(label_map), strict=True)
    )
    pairs = pair_folders(label_map, predicted.paths, expected.paths, (predicted.shown, expected.shown))
    warnings = list(pairs.notes)
    task, structures = label_map.task, label_map.structures
    if len(structures) < len(task.structures):
        others = ", ".join(name for name in task.structure_names if name not in structures)
        warnings.append(f"Not compared, as the label map does not name them on both sides: {others}.")
    header: GivenHeader = {
        "method": name or Path(os.path.abspath(predictions)).name,
        "direction": "Label files",
        "protocol": protocol,
        "seed": None,
        "selection": _SELECTION,
        "grid_text": GRID_TEXT,
        "failures_text": FAILURES_TEXT,
        "label_map": {side.name: _shown(side) for side in _sides(label_map)},
        # Lines that come up on the way still reach the file: it is written when all cases have been read.
        "warnings": warnings,
    }
    pictures = None if images is None else CaseImages(images, label_map, orientation_policy)
    with observer.stage("Score", len(pairs.cases), 0) as bar:
        on_scan = find_protocol(protocol).grid == "scan"
        results = _results(label_map, pairs.cases, pictures, warnings, orientation_policy, on_scan, bar)
        evaluation = write_evaluation(out, task, header, results, overwrite, structures, postprocessing)
    title = f"{header['method']}, scored on label files"
    write_report(Path(out) / "report" / "index.html", [EvaluationForReport(Path(out))], title)
    return evaluation


@dataclasses.dataclass(frozen=True)
class _Folder:
    paths: list[str]
    shown: str


def _sides(label_map: LabelMap) -> tuple[LabelSide, LabelSide]:
    return label_map.predictions, label_map.references


def _listed(root: str | os.PathLike, side: LabelSide) -> _Folder:
    """The files below the first of the description's folders that holds label maps."""
    paths, shown = list_files(root), str(root).rstrip("/")
    for folder in side.description.folders:
        prefix, below = paths_below(paths, folder)
        wanted = dataclasses.replace(side.description, images=side.patterns[0][1])
        if image_groups(wanted, below):
            return _Folder(below, f"{shown}/{prefix}".rstrip("/"))
    return _Folder(paths, shown)


def _shown(side: LabelSide) -> dict[str, Any]:
    description = side.description
    if description.masks:
        return {"masks": dict(description.masks)}
    values = {name: list(numbers) for name, numbers in description.label_values}
    return {"labels": description.labels, "label_values": values, "last_label": description.last_label}


def _results(
    label_map: LabelMap,
    cases: Sequence[CasePair],
    pictures: CaseImages | None,
    warnings: list[str],
    policy: str,
    on_scan: bool,
    bar,
) -> Iterator[CaseResult | CaseFailure]:
    for case in cases:
        for result in _result(label_map, case, pictures, warnings, policy):
            if on_scan and isinstance(result, CaseResult):
                # Files lie on the grid of their scan already.
                result = dataclasses.replace(result, on_scan=result.maps("records"))
            yield result
        bar.update(1)


def _result(
    label_map: LabelMap, case: CasePair, pictures: CaseImages | None, warnings: list[str], policy: str
) -> Iterator[CaseResult | CaseFailure]:
    failures = []

    def attempt(side: str, counts_as: str, read):
        files = case.reference if side == "reference" else case.prediction
        try:
            with faults_of_scan(files.paths[0]):
                return read()
        except InputError as error:
            failures.append(CaseFailure(case.case, side, counts_as, " ".join(str(error).splitlines())))
            return None

    reference = attempt("reference", NOT_SCORED, lambda: read_side(label_map.references, case.reference, policy))
    counts_as = EMPTY_PREDICTION if reference is not None else NOT_SCORED
    prediction = attempt("prediction", counts_as, lambda: read_side(label_map.predictions, case.prediction, policy))
    if reference is None and prediction is None:
        yield from failures
        return
    warnings += [line for side in (reference, prediction) if side is not None for line in side.warnings]
    fixed = reference if reference is not None else prediction
    turned = None
    if prediction is not None:
        turned = attempt("prediction", counts_as, lambda: onto_grid(prediction, fixed))
    if turned is None:
        turned = np.zeros(fixed.array.shape, np.uint8)
    affine = canonical_affine(fixed.array.shape, fixed.affine)
    yield CaseResult(
        case=case.case,
        image=None if pictures is None else pictures.canonical(case.case, fixed, warnings),
        entropy=None,
        prediction=canonical_view(turned, fixed.affine),
        spacing_mm=spacing_mm(affine),
        axes_mm=sheared_axes_mm(affine),
        reference=None if reference is None else canonical_view(reference.array, fixed.affine),
        failures=tuple(failures),
    )
