"""The user's own split: a YAML file with the cases, or patients, that test and train.

test: [chaos-1, chaos-13, malbcv-0009]
train: [chaos-2, malbcv-0001]   # may be left out: then whatever is not a test case trains
"""

import os

from attent_tf.data.splits import TEST, TRAIN
from attent_tf.errors import ConfigError
from attent_tf.names import normal_name
from attent_tf.yaml_text import read_yaml


def read_split_file(path: str | os.PathLike) -> dict[str, str]:
    """Reads a split file.

    Args:
      path: a YAML (or JSON) file with the lists `test` and, if wanted, `train`.

    Returns:
      case or patient identifier to `train` or `test`, as `assign_splits` takes it.

    Raises:
      ConfigError: the file is missing or holds something else, or names a case twice.
    """
    content = read_yaml(path, "a split file")
    if not isinstance(content, dict) or TEST not in content or not content.keys() <= {TEST, TRAIN}:
        found = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ConfigError(f"{path}: expected the lists test and, if wanted, train; found {found or 'nothing'}")
    splits: dict[str, str] = {}
    for split, names in content.items():
        # YAML reads a bare 0009 as a number and loses its zeros; identifiers are words.
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigError(f"{path}: expected a list of case identifiers such as chaos-1 in {split}, found {names}")
        for name in map(normal_name, names):
            if name in splits:
                raise ConfigError(f"{path}: {name} is listed twice ({splits[name]}, {split}); keep one")
            splits[name] = split
    return splits
