"""Whether records show scans as the networks of a run learned to see them."""

import os
from typing import Any

from attent_tf.data.manifest import Manifest
from attent_tf.errors import RecordsError
from attent_tf.runs import Run


def check_preparation(run: Run, records: str | os.PathLike, manifest: Manifest) -> None:
    """Raises RecordsError for records whose target scans the networks would see otherwise than those that they learned from."""
    seen, learned = (
        _seen(options, run.target) for options in (manifest.options.get("preparation") or {}, run.preparation)
    )
    for key, expected in learned.items():
        if seen.get(key) != expected:
            raise RecordsError(
                f"{records}: prepared with {key} {seen.get(key)!r}, the run was trained with {expected!r}; preprocess alike"
            )


def _seen(preparation: dict[str, Any], target: str) -> dict[str, Any]:
    """What decides how target scans look: scans of other domains are not looked at here."""
    return preparation | {"intensity": (preparation.get("intensity") or {}).get(target)}
