"""The folders of a model as TensorFlow Serving reads them: `MODEL/1`, `MODEL/2`, …; the highest number is served."""

import os
from pathlib import Path

from attent_tf.errors import InputError


def version_folder(model: str | os.PathLike, version: int | None = None) -> tuple[int, Path]:
    """Chooses the folder of a version that is to be written.

    Args:
      model: the model's folder; it need not exist.
      version: its number; None for the one after the highest that is there.

    Returns:
      The number and its folder.

    Raises:
      InputError: the version exists, its number is below 1, or `model` is no folder.
    """
    model = Path(model)
    if model.exists() and not model.is_dir():
        raise InputError(f"{model}: expected the folder of a model, found a file; choose another --out")
    if (model / "saved_model.pb").exists():
        raise InputError(
            f"{model}: expected the folder of a model, which holds versions, found a version; give the folder above as --out"
        )
    taken = {int(entry.name) for entry in (model.iterdir() if model.is_dir() else ()) if entry.name.isdigit()}
    following = max(taken, default=0) + 1
    if version is None:
        version = following
    if version < 1:
        raise InputError(f"--version {version}: expected a number of at least 1; TensorFlow Serving accepts no others")
    if version in taken:
        raise InputError(
            f"{model / str(version)}: expected a version that does not exist yet; give --version {following}, or leave it out"
        )
    return version, model / str(version)
