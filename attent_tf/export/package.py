"""Writing a package: a trained model in one file, for others to use and to start from, with nothing of the data in it.

What goes in is listed here by name, so that nothing else does: what the model is, its weights, how far it was trained, and mean
scores. Paths, cases and what is known of single scans stay out. The same run gives the same bytes.
"""

import dataclasses
import hashlib
import io
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from attent_tf.configs.first_weights import PACKAGE_SUFFIX, takes_imagenet_input
from attent_tf.errors import InputError
from attent_tf.evaluation.folder import Evaluation
from attent_tf.export.metadata import make_metadata
from attent_tf.export.model_card import make_card
from attent_tf.export.saved_model import scores_of, stage_warnings, weights_sha256
from attent_tf.files import json_bytes, written_aside
from attent_tf.inference.chain import load_chain
from attent_tf.inference.evaluate import CASELESS_WARNINGS
from attent_tf.methods import TO_SOURCE, TO_TARGET
from attent_tf.runs import Run
from attent_tf.runs.networks import load_parts, named_variables, trained_steps
from attent_tf.runs.package import (
    CARD_FILE,
    CHECKSUMS_FILE,
    CONTENT_FILE,
    MEMBERS,
    PACKAGE_FORMAT,
    WEIGHTS_FILE,
    Package,
    read_package,
)
from attent_tf.runs.run import run_to_json
from attent_tf.versions import package_versions

# The earliest that a zip can say.
_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_UNIX = 3


def write_package(run: Run, out: str | os.PathLike, evaluation: str | os.PathLike | None = None) -> Package:
    """Writes the deployed networks of a run, and its translators, with all that is needed to use and to train them further.

    Args:
      run: a trained run, of a folder.
      out: the file, `NAME.attent`; one that is there is replaced.
      evaluation: folder with the scores for the card; None for `evaluation` in the run folder, if it is there.

    Returns:
      The package, read back.

    Raises:
      InputError: `out` has another suffix, the run is a package already, or `evaluation` is no evaluation folder.
      RunError: the run is not trained.
    """
    out = check_package_name(out)
    if run.package is not None:
        raise InputError(
            run.folder, "a run folder", "a package", "copy the file, or name the folder that it was made from"
        )
    scores = scores_of(run, evaluation)
    steps = {stage.id: trained_steps(run, stage.id) for stage in run.method.stages}
    fingerprint = weights_sha256(load_chain(run))
    warnings = stage_warnings(run, steps)
    run = _without_places(run)
    members = {
        CONTENT_FILE: json_bytes(_content(run, steps, warnings, fingerprint)),
        CARD_FILE: _card(run, steps, warnings, fingerprint, scores).encode("utf-8"),
        WEIGHTS_FILE: _weights(run),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    library = package_versions()["attent-tf"]
    members[CHECKSUMS_FILE] = json_bytes({"format": PACKAGE_FORMAT, "library": library, "sha256": digests})
    with written_aside(out) as aside:
        aside.write_bytes(_zipped(members))
    return read_package(out)


def check_package_name(out: str | os.PathLike) -> Path:
    """Refuses a file whose name does not end as packages do; `segmentation.weights` knows them by it."""
    out = Path(out)
    if not out.name.endswith(PACKAGE_SUFFIX) or out.is_dir():
        found = "a folder" if out.is_dir() else out.name
        raise InputError("--out", f"a file NAME{PACKAGE_SUFFIX}", found, "choose another name")
    return out


def _content(run, steps, warnings, fingerprint) -> dict[str, Any]:
    return {
        **run_to_json(run),
        "stages": {stage: {"steps": done, "planned": planned} for stage, (done, planned) in steps.items()},
        "warnings": warnings,
        "weights_sha256": fingerprint,
        "versions": {key: value for key, value in package_versions().items() if value},
        "intended_use": "research; not a medical device",
    }


def _card(run, steps, warnings, fingerprint, scores) -> str:
    return make_card(run, make_metadata(run, None, {}, fingerprint, steps, None), _caseless(scores), warnings)


def _weights(run) -> bytes:
    """All networks that make or show images, so that a package can be checked and converted with as a run can."""
    import safetensors.numpy

    trained = {role for stage in run.method.stages for role in stage.roles}
    roles = list(dict.fromkeys([*run.method.deployed, *(role for role in (TO_SOURCE, TO_TARGET) if role in trained)]))
    values = {}
    for role, network in zip(roles, load_parts(run, *roles), strict=True):
        for name, variable in named_variables(role, network).items():
            values[name] = np.ascontiguousarray(variable.numpy())
    return safetensors.numpy.save(values)


def _without_places(run: Run) -> Run:
    """The run with a configuration that says how S is made, and not where the file lay that it began with."""
    section = run.config.segmentation
    kind = "imagenet" if takes_imagenet_input(section.weights) else "none"
    # Of the name of a configuration's file what is sure to be a word.
    name = re.sub(r"[^\w.+-]", "_", run.config.name)
    config = dataclasses.replace(run.config, name=name, segmentation=dataclasses.replace(section, weights=kind))
    return dataclasses.replace(run, config=config)


def _caseless(scores: Evaluation | None) -> Evaluation | None:
    """The scores without what is said of single scans, whose names may be those of people."""
    if scores is None:
        return None
    kept = [line for line in scores.header.get("warnings", []) if line in CASELESS_WARNINGS]
    return dataclasses.replace(scores, header={**scores.header, "warnings": kept})


def _zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in MEMBERS:
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system, info.external_attr = _UNIX, _READABLE
            archive.writestr(info, members[name])
    return buffer.getvalue()
