"""The deployed chain as a SavedModel for TensorFlow Serving.

The names of signatures, inputs and outputs are an interface that servers and their clients rely on; they stand in
`attent_tf.deployment.signature`.
"""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from attent_tf.deployment.contract import METADATA_FILE
from attent_tf.deployment.signature import expected_signatures
from attent_tf.evaluation.folder import Evaluation, read_evaluation
from attent_tf.export.measure import compare
from attent_tf.export.metadata import Metadata, make_metadata
from attent_tf.export.model_card import CARD_FILE, make_card
from attent_tf.export.optimize import frozen_chain
from attent_tf.export.sample import make_sample
from attent_tf.export.signatures import make_signatures
from attent_tf.export.versions import version_folder
from attent_tf.export.warmup import write_warmup
from attent_tf.files import folder_written_aside, write_json, write_text
from attent_tf.inference.chain import Chain, load_chain
from attent_tf.runs import Run
from attent_tf.runs.networks import stored, trained_steps
from attent_tf.runs.warnings import run_warnings

# What `attent evaluate` is told to make beside a run, in its help and in the README.
_EVALUATION = "evaluation"
_SAMPLE_SLICES = 8


@dataclasses.dataclass(frozen=True)
class Exported:
    """A version of an exported model that was written.

    Attributes:
      folder: the folder of the version.
      metadata: the content of its `metadata.json`.
    """

    folder: Path
    metadata: Metadata


def export_chain(
    run: Run,
    out: str | os.PathLike,
    version: int | None = None,
    weights: str | None = None,
    evaluation: str | os.PathLike | None = None,
) -> Exported:
    """Writes the chain S(G_t2s(x)), or S alone, of a trained run as one version of a model, complete or not at all.

    Signatures, with float32 inputs of any batch; `size` and `channels` are those of the records (256, and 1 or the slice
    in the middle of its neighbours):

    - `serving_default`: `image` [batch, size, size, channels] in [−1, 1], prepared like the training records →
      `probabilities` [batch, size, size, classes] float32, `labels` [batch, size, size] int64.
    - `translate`: `image` → `translated`, of its shape; the image itself for methods without a translator.
    - `entropy`: `image` → `entropy` [batch, size, size, 1] float32 in [0, 1] (Eq. 6).
    - `raw`: `intensities` of the image's shape, `low` and `high` [batch], the raw values of −1 and +1 → as
      `serving_default`.

    Beside the model lie warm-up requests, `metadata.json` and `MODEL_CARD.md`.

    Args:
      run: a trained run.
      out: the model's folder.
      version: its number; None for the next free one.
      weights: `float32` or `float16` for a model made for use alone (see `frozen_chain`); None for the chain as trained.
      evaluation: folder with the scores for the card; None for `evaluation` in the run folder, if it is there.

    Returns:
      What was written.

    Raises:
      RunError: the run is not trained.
      InputError: the version exists, or `evaluation` is no evaluation folder.
    """
    version, folder = version_folder(out, version)
    scores = scores_of(run, evaluation)
    chain = load_chain(run)
    options = run.prepare_options
    signatures = expected_signatures(options.size, options.channels, run.task.num_classes)
    steps = {stage.id: trained_steps(run, stage.id) for stage in run.method.stages}
    fingerprint = weights_sha256(chain)

    image = tf.TensorSpec((None, options.size, options.size, options.channels), tf.float32, name="image")
    # One trace that all signatures share; each is left with the part of it that it needs.
    run_chain = chain.__call__.get_concrete_function(image)
    module, optimization = tf.Module(), None
    if weights is None:
        module.weights = [variable for network in chain.networks for variable in stored(network)]
    else:
        sample = make_sample(run.task, run.target, options, _SAMPLE_SLICES)
        # From a chain of its own, because it is changed.
        optimized = frozen_chain(load_chain(run), image, weights)
        found = compare(run_chain, tf.function(optimized, autograph=False), sample.slices)
        optimization = {"weights": weights, "sample": sample.kind, **found}
        run_chain = optimized
    metadata = make_metadata(run, version, signatures, fingerprint, steps, optimization)
    with folder_written_aside(folder) as aside:
        functions = make_signatures(run_chain, options.size, options.channels)
        tf.saved_model.save(module, str(aside), signatures=functions)
        write_warmup(aside, signatures)
        write_json(aside / METADATA_FILE, metadata)
        write_text(aside / CARD_FILE, make_card(run, metadata, scores, stage_warnings(run, steps)))
    return Exported(folder, metadata)


def scores_of(run: Run, evaluation: str | os.PathLike | None) -> Evaluation | None:
    """Returns the evaluation for a card: the one that is named, or the one in the run folder where there is one."""
    if evaluation is not None:
        return read_evaluation(evaluation)
    beside = run.folder / _EVALUATION
    return read_evaluation(beside) if (beside / "metrics.json").is_file() else None


def stage_warnings(run: Run, steps: dict[str, tuple[int, int]]) -> list[str]:
    """Returns a line for each stage that was stopped early, and what the run has to say against itself."""
    stopped = {stage: counts for stage, counts in steps.items() if counts[0] < counts[1]}
    lines = [
        f"The {stage} stage was stopped at step {done} of {planned}." for stage, (done, planned) in stopped.items()
    ]
    return [*lines, *run_warnings(run)]


def weights_sha256(chain: Chain) -> str:
    """Returns the fingerprint of the weights of all networks of a chain."""
    digest = hashlib.sha256()
    for network in chain.networks:
        for variable in stored(network):
            digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return digest.hexdigest()
