"""Whether records show scans as the networks of a run learned to see them."""

import os

from attent_tf.data.manifest import Manifest
from attent_tf.errors import RecordsError
from attent_tf.runs import Run


def check_preparation(run: Run, records: str | os.PathLike, manifest: Manifest) -> None:
    """Raises RecordsError for records whose target scans the networks would see otherwise than those that they learned from."""
    found = manifest.options.get("preparation") or {}
    for key, expected in run.preparation.items():
        # Source scans are not looked at here.
        if key != f"{run.source}_intensity" and found.get(key) != expected:
            raise RecordsError(
                f"{records}: prepared with {key} {found.get(key)!r}, the run was trained with {expected!r}; "
                "preprocess alike"
            )
