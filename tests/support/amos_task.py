"""A task of fifteen structures with colours of their own, of which two are not scored, and labels that show all of them."""

import colorsys

import numpy as np

from attent_tf.tasks import task_from_mapping

_ORGANS = (
    "spleen, right_kidney, left_kidney, gallbladder, oesophagus, liver, stomach, aorta, inferior_vena_cava, pancreas, "
    "right_adrenal_gland, left_adrenal_gland, duodenum, bladder, prostate_or_uterus"
)


def _colour(place: int) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hsv_to_rgb(place / 15, 0.7, 0.95))


# The structures of AMOS 2022.
AMOS = task_from_mapping(
    {
        "name": "amos",
        "title": "Fifteen organs",
        "structures": {
            name: {"colour": _colour(place), "scored": name not in ("bladder", "prostate_or_uterus")}
            for place, name in enumerate(_ORGANS.split(", "))
        },
        "domains": {
            "t1": {"kind": "mri", "title": "T1-weighted MRI"},
            "t2": {"kind": "mri", "title": "T2-weighted MRI"},
        },
    },
    "amos",
)


def columns_of_structures(task, shape=(4, 16, 64)) -> np.ndarray:
    """[slice, row, column] uint8: each structure of a task a block beside the one before."""
    labels = np.zeros(shape, np.uint8)
    width = shape[2] // len(task.structures)
    for index in range(1, task.num_classes):
        labels[1:3, 4:12, width * (index - 1) : width * index - 1] = index
    return labels
