"""Names and numbers as people read them."""

import math

from attent_tf.methods import METHODS
from attent_tf.tasks import Task

METRIC_TITLES = {
    "dice": "Dice, %",
    "assd_voxel": "ASSD, voxel",
    "assd_mm": "ASSD, mm",
    "asd_prediction_mm": "ASD from the prediction, mm",
    "asd_reference_mm": "ASD from the reference, mm",
    "hd95_mm": "HD95, mm",
    "surface_dice": "Surface Dice, %",
    "volume_difference_ml": "Volume difference, ml",
}
# What everybody reads; what else an evaluation holds stands behind a fold.
MAIN_METRICS = ("dice", "assd_voxel", "assd_mm")
_UNITS = {"mm": "mm", "voxel": "voxel", "ml": "ml", "percent": "%"}

# Behind the name of a method: its scores before predictions were cleaned.
UNPROCESSED = "without postprocessing"

UNDEFINED = "–"
INFINITE = "∞"


def method_title(method: str) -> str:
    """Returns the name of a method for people; an unknown one keeps its identifier."""
    return METHODS[method].title if method in METHODS else method


def metric_title(metric: str) -> str:
    """Returns `ASSD, mm` for `assd_mm`; a metric that is not known here is named by the words and the unit of its key."""
    if metric in METRIC_TITLES:
        return METRIC_TITLES[metric]
    name, _, last = metric.rpartition("_")
    if name and last in _UNITS:
        return f"{name.replace('_', ' ').capitalize()}, {_UNITS[last]}"
    return metric.replace("_", " ").capitalize()


def metric_digits(metric: str) -> int:
    """Returns how many decimals a metric is written with: one for percentages, two for distances and the rest."""
    return 1 if metric_title(metric).endswith("%") else 2


def direction_title(task: Task, direction: str) -> str:
    """Returns `MRI → CT` for `mri2ct`; what is no direction of the task stays as it is."""
    domains = _domains(task, direction)
    return " → ".join(domains) if domains else direction


def direction_sentence(task: Task, direction: str) -> str:
    """Says in a sentence which domain has labels and which is segmented."""
    domains = _domains(task, direction)
    if not domains:
        return ""
    return f"The model learns from labelled {domains[0]} and unlabelled {domains[1]}, and is scored on {domains[1]}."


def in_sentence(title: str) -> str:
    """Returns a title as it stands within a sentence: `liver` for `Liver`; abbreviations stay as they are."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def number(value: float, digits: int) -> str:
    """Returns a number with the given number of decimals, `–` where it is undefined and `∞` where it is infinite."""
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return INFINITE
    text = f"{value:.{digits}f}"
    return text.replace("-", "−" if float(text) else "")


def _domains(task: Task, direction: str) -> list[str] | None:
    if direction not in task.directions:
        return None
    return [task.domain(name).title for name in task.source_and_target(direction)]
