"""What the JSON files of a data set for nnU-Net hold."""

from typing import NotRequired, TypedDict

from attent_tf.inference.scan_report import IntensityFound


class SignTold(TypedDict):
    """The number of a sign of one scan, and its verdict."""

    value: float
    verdict: str


# Of `origins.json`, a case that was written: what it is, its files in the data set, and what the manifest says of it. Signs are
# those of a case that the run labelled.
Origin = TypedDict(
    "Origin",
    {
        "case": str,
        "is": str,
        "image": str,
        "labels": NotRequired[str],
        "domain": str,
        "dataset": str,
        "patient": str,
        "split": str,
        "sha256": str,
        "intensity": IntensityFound,
        "signs": NotRequired[dict[str, SignTold]],
    },
)


class LeftOut(TypedDict):
    """Of `origins.json`, a target case that did not pass."""

    case: str
    reason: str
    signs: dict[str, SignTold]


class DatasetJson(TypedDict):
    """`dataset.json` in nnU-Net's words."""

    channel_names: dict[str, str]
    labels: dict[str, int]
    numTraining: int
    file_ending: str
    name: str
    description: str
    overwrite_image_reader_writer: NotRequired[str]
