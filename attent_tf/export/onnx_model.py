"""The deployed chain as an ONNX file, for runtimes other than TensorFlow, held to the answers of the chain that it was made from.

tf2onnx turns the frozen graph into ONNX operations of one opset. Refusals of wrong input, which `attent_tf.export.signatures`
puts into the graph, have no counterpart there and are left out: whoever calls the file checks what it is given.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from attent_tf.deployment.contract import METADATA_FILE
from attent_tf.deployment.signature import expected_signatures
from attent_tf.errors import ConfigError, RunError
from attent_tf.export.metadata import make_metadata
from attent_tf.export.model_card import CARD_FILE, make_card
from attent_tf.export.monai_bundle import bundle_files
from attent_tf.export.sample import make_sample
from attent_tf.export.saved_model import Exported, scores_of, stage_warnings, weights_sha256
from attent_tf.export.versions import version_folder
from attent_tf.files import folder_written_aside, write_bytes, write_json, write_text
from attent_tf.inference.chain import Chain, load_chain
from attent_tf.runs import Run
from attent_tf.runs.networks import trained_steps

OPSET = 18
MODEL_FILE = "model.onnx"

# The largest difference of a probability, of an entropy or of a translated value that runtimes may make.
TOLERANCE = 1e-4
_SAMPLE_SLICES = 3
_LARGEST_BYTES = 2_000_000_000


def export_onnx(
    run: Run, out: str | os.PathLike, version: int | None = None, evaluation: str | os.PathLike | None = None
) -> Exported:
    """Writes the chain as one version of a model, `model.onnx` with its `metadata.json`, its card and a MONAI bundle around it.

    Its input is `image` [batch, size, size, channels] float32 in [−1, 1], prepared like the training records; its outputs are
    `probabilities` [batch, size, size, classes], `labels` [batch, size, size] int64, `entropy` [batch, size, size, 1] and
    `translated`, of the input's shape. The batch is free. Before anything is written the file is run with onnxruntime and
    compared with the chain.

    Args:
      run: a trained run, or a package.
      out: the model's folder.
      version: its number; None for the next free one.
      evaluation: folder with the scores for the card; None for `evaluation` in the run folder, if it is there.

    Returns:
      What was written.

    Raises:
      ConfigError: the packages of the extra `onnx` are missing.
      RunError: the run is not trained, the model is too large for one file, or it answers otherwise than the chain.
      InputError: the version exists, or `evaluation` is no evaluation folder.
    """
    check_packages()
    version, folder = version_folder(out, version)
    scores, options = scores_of(run, evaluation), run.prepare_options
    steps = {stage.id: trained_steps(run, stage.id) for stage in run.method.stages}
    chain = load_chain(run)
    content = to_onnx(chain, options.size, options.channels)
    sample = make_sample(run.task, run.target, options, _SAMPLE_SLICES).slices
    largest = compared(chain, content, sample)
    signatures = {
        "model.onnx": expected_signatures(options.size, options.channels, run.task.num_classes)["serving_default"]
    }
    fingerprint = weights_sha256(chain)
    metadata = make_metadata(run, version, signatures, fingerprint, steps, None)
    metadata["onnx"] = {
        "opset": OPSET,
        "largest_difference": largest,
        "compared_with": "TensorFlow, on a phantom's slices",
    }
    with folder_written_aside(folder) as aside:
        (aside / "models").mkdir()
        write_bytes(aside / "models" / MODEL_FILE, content)
        write_json(aside / METADATA_FILE, metadata)
        write_text(aside / CARD_FILE, make_card(run, metadata, scores, stage_warnings(run, steps)))
        for name, text in bundle_files(run, metadata).items():
            write_text(aside / name, text)
    return Exported(folder, metadata)


def check_packages() -> None:
    """Raises ConfigError where what writes and checks ONNX files is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"--format onnx: expected the packages of the extra onnx, found no {error.name}; pip install attent-tf[onnx]"
        ) from error


def to_onnx(chain: Chain, size: int, channels: int) -> bytes:
    """Returns a chain as the bytes of an ONNX file.

    Args:
      chain: the chain with its weights.
      size: rows and columns of a slice.
      channels: the number of channels of a slice.

    Raises:
      RunError: the weights do not fit into one file, which protocol buffers limit to two gigabytes.
    """
    import onnx
    import tf2onnx

    image = tf.TensorSpec((None, size, size, channels), tf.float32, name="image")

    @tf.function(autograph=False, input_signature=[image])
    def whole(image):
        output = chain(image)
        return {
            "probabilities": output.probabilities,
            "labels": tf.argmax(output.probabilities, axis=-1),
            "entropy": output.entropy,
            "translated": tf.identity(output.translated),
        }

    weights = sum(int(np.prod(variable.shape)) * 4 for network in chain.networks for variable in network.variables)
    if weights > _LARGEST_BYTES:
        raise RunError(
            f"--format onnx: expected weights of at most 2 GB, found {weights / 1e9:.1f} GB; use a SavedModel"
        )
    model, _ = tf2onnx.convert.from_function(whole, input_signature=[image], opset=OPSET)
    for tensor in (*model.graph.input, *model.graph.output):
        # One name, so that all are known to be of the same batch.
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    # tf2onnx names a domain that nothing is taken from.
    used = {node.domain for node in model.graph.node}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def compared(chain: Chain, content: bytes, slices: np.ndarray) -> float:
    """Runs an ONNX file with onnxruntime and compares it with its chain, one slice at a time and all at once.

    Args:
      chain: the chain that it was made from.
      content: the content of the file.
      slices: [batch, size, size, channels] float32 in [−1, 1].

    Returns:
      The largest difference.

    Raises:
      RunError: it is above `TOLERANCE`.
    """
    # Not Python's max, which may overlook what is no number.
    largest = float(np.max(list(_differences(chain, content, slices))))
    if not largest <= TOLERANCE:
        raise RunError(
            f"--format onnx: expected the answers of TensorFlow to {TOLERANCE:g}, found a difference of {largest:.2g}; "
            "use a SavedModel"
        )
    return largest


def _differences(chain: Chain, content: bytes, slices: np.ndarray) -> Iterator[float]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    for batch in (slices[:1], slices):
        expected = chain(tf.constant(batch))
        found: dict[str, Any] = dict(zip(names, session.run(names, {"image": batch}), strict=True))
        for name in ("probabilities", "entropy", "translated"):
            yield float(np.abs(found[name] - getattr(expected, name).numpy()).max())
        ordered = np.sort(expected.probabilities.numpy(), axis=-1)
        sure = ordered[..., -1] - ordered[..., -2] > 2 * TOLERANCE
        if (found["labels"] != expected.labels.numpy())[sure].any():
            yield float("inf")
