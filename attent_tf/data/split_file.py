"""The user's own split: a YAML file with the cases, or patients, that test and train.

test: [chaos-1, chaos-13, malbcv-0009]
train: [chaos-2, malbcv-0001]   # may be left out: then whatever is not a test case trains
"""

import dataclasses
import os

from attent_tf.data.splits import TEST, TRAIN
from attent_tf.errors import ConfigError
from attent_tf.names import normal_name
from attent_tf.plain_values import StrictReader
from attent_tf.yaml_text import read_yaml

_READER = StrictReader(by_hand=True)


@dataclasses.dataclass(frozen=True)
class _Written:
    """Identifiers of cases or patients."""

    test: tuple[str, ...]
    train: tuple[str, ...] = ()


def read_split_file(path: str | os.PathLike[str]) -> dict[str, str]:
    """Reads a split file.

    Args:
      path: a YAML (or JSON) file with the lists `test` and, if wanted, `train`.

    Returns:
      case or patient identifier to `train` or `test`, as `assign_splits` takes it.

    Raises:
      ConfigError: the file is missing or holds something else, or names a case twice.
    """
    written = _READER.read(_Written, read_yaml(path, "a split file"), str(path))
    splits: dict[str, str] = {}
    for split, names in ((TEST, written.test), (TRAIN, written.train)):
        for name in map(normal_name, names):
            if name in splits:
                raise ConfigError(f"{path}: {name} is listed twice ({splits[name]}, {split}); keep one")
            splits[name] = split
    return splits
