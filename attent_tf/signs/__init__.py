"""Whether a model works, told without labels of the target (NumPy only)."""

from attent_tf.signs.choice import DEFAULT_CASES, even_choice
from attent_tf.signs.counts import (
    NO_ORGANS,
    NO_OVERLAP,
    OrganCounts,
    count_organs,
    count_overlap,
    main_part_shares,
    mean_dice,
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
    "NO_ORGANS",
    "NO_OVERLAP",
    "RED",
    "RULES",
    "VERDICTS",
    "Calibration",
    "Estimate",
    "LeftOut",
    "Measured",
    "OrganCounts",
    "Rule",
    "Sign",
    "Signs",
    "count_organs",
    "count_overlap",
    "even_choice",
    "find_calibration",
    "fit_calibration",
    "judge",
    "main_part_shares",
    "mean_dice",
    "read_calibration",
    "scale_images",
    "scale_labels_back",
    "sum_on_foreground",
    "with_estimate",
]
