"""Checks of output names, before work that takes minutes."""

from pathlib import Path

from attent_tf.errors import InputError


def check_nifti_name(path: str) -> None:
    """Refuses a name that is no NIfTI file's, or that of a folder."""
    if not path.endswith((".nii", ".nii.gz")):
        raise InputError(f"--out {path}: expected a name that ends in .nii or .nii.gz")
    if Path(path).is_dir():
        raise InputError(f"--out {path}: expected a file name, found a folder")
