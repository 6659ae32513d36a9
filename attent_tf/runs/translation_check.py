"""Signs that a translation has failed, without labels of the target.

A CycleGAN can settle on a map that turns bright structures dark: its losses look fine, but S finds other things in
translated slices than source patients have. Two signs are taken on the target's training slices x_t:

- composition: the share of each structure among the pixels of all of them, as S predicts it on G_t2s(x_t), against that of
  labelled source slices. Not their size, which depends on how much of the patient a scan shows.
- agreement: the mean Dice between S(G_t2s(x_t)) and S(G_t2s(G_s2t(G_t2s(x_t)))). Where a translation keeps anatomy, another
  turn of the cycle changes little.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attent_tf.errors import RunError
from attent_tf.files import write_json
from attent_tf.signs import count_overlap, mean_dice

CHECK_FILE = "translation_check.json"

# On the phantom, good runs lie at a distance of 0.03 and an agreement of 0.95, runs made to fail at 0.04 to 0.27 and at 0.76 to
# 0.77 (docs/method.md has the commands).
LARGEST_DISTANCE, LEAST_AGREEMENT = 0.15, 0.87


@dataclasses.dataclass(frozen=True)
class TranslationCheck:
    """Both signs, and what they compare.

    Attributes:
      source: share of each structure among the pixels of all of them in labelled source slices.
      predicted: likewise of the predictions on translated target slices; None if no structure was found.
      distance: half of the summed absolute differences, 0 for equal shares, 1 for none in common.
      agreement: mean over structures of the Dice between predictions after one translation and after another turn of the
        cycle, 0 to 1.
      warning: a line for the user, or None if nothing speaks against the translation.
    """

    source: tuple[float, ...]
    predicted: tuple[float, ...] | None
    distance: float
    agreement: float
    warning: str | None


def check_translation(
    source_labels: np.ndarray, predicted_labels: np.ndarray, predicted_again: np.ndarray, titles: Sequence[str]
) -> TranslationCheck:
    """Takes both signs.

    Args:
      source_labels: [slice, row, column] uint8 class indices of labelled source slices.
      predicted_labels: [slice, row, column] uint8 class indices that S gives to translated target slices.
      predicted_again: likewise after another turn of the cycle.
      titles: the titles of the structures, the classes from 1.

    Raises:
      ValueError: the source labels show no structure.
    """
    source, predicted = (_composition(labels, len(titles)) for labels in (source_labels, predicted_labels))
    if source is None:
        raise ValueError("Argument `source_labels` must show a structure. Found: background alone")
    agreement = mean_dice(count_overlap(predicted_labels, predicted_again, len(titles) + 1))
    advice = "look at the panels, and train longer, with an identity loss, or with another seed."
    if predicted is None:
        warning = f"The translation has likely failed: no structure was found in translated slices; {advice}"
        return TranslationCheck(tuple(source.tolist()), None, 1.0, agreement, warning)
    distance = float(np.abs(source - predicted).sum() / 2)
    findings = []
    if distance > LARGEST_DISTANCE:
        worst = int(np.abs(source - predicted).argmax())
        findings.append(
            f"of the labelled pixels in translated slices {predicted[worst]:.0%} are {titles[worst].lower()}, in source labels "
            f"{source[worst]:.0%}"
        )
    if agreement < LEAST_AGREEMENT:
        findings.append(f"another turn of the cycle changes what is segmented (Dice between the two {agreement:.0%})")
    warning = f"The translation has likely failed: {', and '.join(findings)}; {advice}" if findings else None
    return TranslationCheck(tuple(source.tolist()), tuple(predicted.tolist()), distance, agreement, warning)


def write_check(folder: str | os.PathLike, check: TranslationCheck) -> None:
    """Keeps a check in a run folder."""
    write_json(Path(folder) / CHECK_FILE, dataclasses.asdict(check))


def read_warning(folder: str | os.PathLike) -> str | None:
    """Returns the warning that was kept in a run folder; None if there is none.

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


def _composition(labels: np.ndarray, structures: int) -> np.ndarray | None:
    counts = np.bincount(labels.ravel(), minlength=structures + 1)[1:].astype(np.float64)
    return counts / counts.sum() if counts.any() else None
