"""A sign that a translation has failed, without labels of the target.

A CycleGAN can settle on a map that turns bright organs dark: its losses look well, and S finds other organs in translated
slices than source patients have. So the organs that S predicts on translated training slices are held against those of the
labelled source: not their size, which depends on how much of the patient a scan shows, but their composition, the share of
each organ among all organ pixels.
"""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from attent_tf.errors import RunError
from attent_tf.files import write_json
from attent_tf.organs import CLASS_NAMES, NUM_CLASSES, ORGAN_TITLES

CHECK_FILE = "translation_check.json"

# Half of the summed differences of the shares, from 0 to 1. On the phantom, good runs lie at 0.03, and runs without an identity
# loss between 0.09 (Dice 42 %) and 0.3 (Dice 6 %); a segmentor that sees no translation lies above 0.5.
SUSPECT, FAILED = 0.07, 0.2


@dataclasses.dataclass(frozen=True)
class TranslationCheck:
    """What was compared.

    Attributes:
      source: share of each organ (liver, right kidney, left kidney, spleen) among the organ pixels of labelled source slices.
      predicted: likewise of the predictions on translated target slices; None where no organ was found.
      distance: half of the summed absolute differences, 0 for equal shares, 1 for none in common.
      warning: a line for the user, or None where nothing speaks against the translation.
    """

    source: tuple[float, ...]
    predicted: tuple[float, ...] | None
    distance: float
    warning: str | None


def check_translation(source_labels: np.ndarray, predicted_labels: np.ndarray) -> TranslationCheck:
    """Compares the organs of source patients with those that are predicted in translated target slices.

    Args:
      source_labels: [slice, row, column] uint8 class indices of labelled source slices.
      predicted_labels: [slice, row, column] uint8 class indices that S gives to translated target slices.

    Raises:
      ValueError: the source labels show no organ.
    """
    source, predicted = _composition(source_labels), _composition(predicted_labels)
    if source is None:
        raise ValueError("Argument `source_labels` must show an organ. Received: background alone")
    if predicted is None:
        return TranslationCheck(
            tuple(source.tolist()),
            None,
            1.0,
            "The translation has likely failed: no organ was found in translated slices.",
        )
    distance = float(np.abs(source - predicted).sum() / 2)
    warning = None
    if distance > SUSPECT:
        worst = int(np.abs(source - predicted).argmax())
        organ = ORGAN_TITLES[CLASS_NAMES[worst + 1]].lower()
        verdict = "has likely" if distance > FAILED else "may have"
        warning = (
            f"The translation {verdict} failed: of the organ pixels in translated slices {predicted[worst]:.0%} are {organ}, in "
            f"source labels {source[worst]:.0%}; look at the panels, and train with an identity loss or another seed."
        )
    return TranslationCheck(tuple(source.tolist()), tuple(predicted.tolist()), distance, warning)


def write_check(folder: str | os.PathLike, check: TranslationCheck) -> None:
    """Keeps a check in a run folder."""
    write_json(Path(folder) / CHECK_FILE, dataclasses.asdict(check))


def read_warning(folder: str | os.PathLike) -> str | None:
    """Returns the warning that was kept in a run folder; None where there is none.

    Raises:
      RunError: the file was damaged.
    """
    path = Path(folder) / CHECK_FILE
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))["warning"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: expected the check of a translation, found other content; train again") from error


def _composition(labels: np.ndarray) -> np.ndarray | None:
    counts = np.bincount(labels.ravel(), minlength=NUM_CLASSES)[1:].astype(np.float64)
    return counts / counts.sum() if counts.any() else None
