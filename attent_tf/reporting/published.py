"""Rows of the paper's Tables I and II, to stand beside a benchmark.

They were measured on CHAOS and MALBCV, slice by slice by the protocol of the released code (see `released_2d`): another data set
and another protocol than a benchmark's own rows.
"""

from attent_tf.tasks import Task, load_task

_TASK = "abdomen"

# direction -> method -> Dice in percent of the structures of the task in their order, and their average (Table I). The row that
# the paper calls CycleGAN is SIFA's, where S learns from translated source; AdaOutput is AdaptSegNet.
DICE_PERCENT = {
    "mri2ct": {
        "source_only": (73.1, 47.3, 57.3, 55.1, 58.2),
        "adaptseg": (85.4, 79.7, 79.7, 81.7, 81.6),
        "cyclegan_source": (83.4, 79.3, 79.4, 77.3, 79.9),
        "synseg": (85.0, 82.1, 72.7, 81.0, 80.2),
        "cycada": (84.5, 78.6, 80.3, 76.9, 80.1),
        "sifa_v1": (87.9, 83.7, 80.1, 80.5, 83.1),
        "sifa_v2": (88.0, 83.3, 80.9, 82.6, 83.7),
        "attent": (88.56, 80.66, 85.59, 86.34, 85.29),
        "supervised": (92.8, 86.4, 87.4, 88.2, 88.7),
    },
    "ct2mri": {
        "source_only": (48.9, 50.9, 65.3, 65.7, 57.7),
        "adaptseg": (85.8, 89.7, 76.3, 82.2, 83.5),
        "cyclegan_source": (88.8, 87.3, 76.8, 79.4, 83.1),
        "synseg": (87.2, 90.2, 76.6, 79.6, 83.4),
        "cycada": (88.7, 89.3, 78.1, 80.2, 84.1),
        "sifa_v1": (88.5, 90.0, 79.7, 81.3, 84.9),
        "sifa_v2": (90.0, 89.1, 80.2, 82.3, 85.4),
        "attent": (91.05, 81.38, 80.51, 89.75, 85.67),
        "supervised": (92.0, 91.1, 80.6, 85.7, 87.3),
    },
}

# The same for ASSD in voxels (Table I).
ASSD_VOXEL = {
    "mri2ct": {
        "source_only": (2.9, 5.6, 7.7, 7.4, 5.9),
        "adaptseg": (1.7, 1.2, 1.8, 1.6, 1.6),
        "cyclegan_source": (1.8, 1.3, 1.2, 1.9, 1.6),
        "synseg": (2.2, 1.3, 2.1, 2.0, 1.9),
        "cycada": (2.6, 1.4, 1.3, 1.9, 1.8),
        "sifa_v1": (2.1, 1.1, 1.6, 1.8, 1.6),
        "sifa_v2": (1.2, 1.0, 1.5, 1.6, 1.3),
        "attent": (0.68, 1.31, 1.43, 1.21, 1.16),
        "supervised": (1.0, 1.8, 0.9, 1.2, 1.2),
    },
    "ct2mri": {
        "source_only": (4.5, 12.3, 6.8, 4.5, 7.0),
        "adaptseg": (1.9, 1.4, 3.0, 1.8, 2.1),
        "cyclegan_source": (2.0, 3.2, 1.9, 2.6, 2.4),
        "synseg": (2.8, 0.7, 4.8, 2.5, 2.7),
        "cycada": (1.5, 1.7, 1.3, 1.6, 1.5),
        "sifa_v1": (2.3, 0.9, 1.4, 2.4, 1.7),
        "sifa_v2": (1.5, 0.6, 1.5, 2.4, 1.5),
        "attent": (0.99, 1.03, 1.26, 1.12, 1.10),
        "supervised": (1.3, 2.0, 1.5, 1.3, 1.5),
    },
}

# direction -> the measure of Table II, and method -> (mean, standard deviation).
ABLATION = {
    "mri2ct": (
        "assd_voxel",
        {
            "source_only": (5.85, 0.65),
            "cyclegan": (1.55, 0.76),
            "pixel": (1.32, 0.71),
            "feature": (2.94, 1.40),
            "entropy": (1.89, 0.84),
            "attent": (1.16, 0.24),
        },
    ),
    "ct2mri": (
        "dice",
        {
            "source_only": (57.73, 9.72),
            "cyclegan": (83.05, 1.03),
            "pixel": (85.57, 1.07),
            "feature": (80.62, 0.86),
            "entropy": (82.54, 0.67),
            "attent": (85.67, 0.29),
        },
    ),
}

# The pairs that Table II compares, and its p-values (it does not name the test).
PAIRS = (
    ("source_only", "cyclegan"),
    ("source_only", "feature"),
    ("source_only", "attent"),
    ("cyclegan", "pixel"),
    ("pixel", "attent"),
    ("feature", "entropy"),
    ("entropy", "attent"),
)
P_VALUES = {
    "mri2ct": (0.0018, 0.0281, 0.0003, 0.3827, 0.3895, 0.2063, 0.1521),
    "ct2mri": (0.0113, 0.0149, 0.0078, 0.0283, 0.4524, 0.0337, 0.0019),
}

# From worst to best, as the paper's tables have it.
EXPECTED_ORDER = ("source_only", "feature", "entropy", "cyclegan", "pixel", "attent", "supervised")


def is_of_the_paper(task: Task) -> bool:
    """Whether a task is the paper's, so that its tables may stand beside other numbers."""
    return task.name == _TASK and task.structure_names == load_task(_TASK).structure_names
