"""Whether a model works, told without labels of the target (NumPy only)."""

from attent_tf.signs.choice import DEFAULT_CASES, even_choice
from attent_tf.signs.counts import (
    StructureCounts,
    count_overlap,
    count_structures,
    main_part_shares,
    mean_dice,
    no_overlap,
    share_distance,
    sum_on_foreground,
)
from attent_tf.signs.estimate import (
    INPUTS,
    Calibration,
    find_calibration,
    fit_calibration,
    read_calibration,
    with_estimate,
)
from attent_tf.signs.judge import RULES, Measured, judge
from attent_tf.signs.scaling import scale_images, scale_labels_back
from attent_tf.signs.sign import AMBER, GREEN, RED, VERDICTS, Estimate, LeftOut, Rule, Sign, Signs

__all__ = [
    "AMBER",
    "DEFAULT_CASES",
    "GREEN",
    "INPUTS",
    "RED",
    "RULES",
    "VERDICTS",
    "Calibration",
    "Estimate",
    "LeftOut",
    "Measured",
    "Rule",
    "Sign",
    "Signs",
    "StructureCounts",
    "count_overlap",
    "count_structures",
    "even_choice",
    "find_calibration",
    "fit_calibration",
    "judge",
    "main_part_shares",
    "mean_dice",
    "no_overlap",
    "read_calibration",
    "scale_images",
    "scale_labels_back",
    "share_distance",
    "sum_on_foreground",
    "with_estimate",
]
