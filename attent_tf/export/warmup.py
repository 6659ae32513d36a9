"""Requests that TensorFlow Serving runs before it calls a model ready, so that no user waits for kernels to be chosen."""

from pathlib import Path

import tensorflow as tf

from attent_tf.deployment.signature import Signature
from attent_tf.serving.messages import make_constant, make_message, make_predict_request

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
# As many slices as the client sends at once: GPUs choose their kernels by the shape.
_BATCH = 8
# Air in images; a window for raw intensities. Values do not matter to kernels.
_VALUES = {"image": -1.0, "intensities": 0.0, "low": -160.0, "high": 240.0}


def write_warmup(folder: Path, signatures: dict[str, Signature]) -> None:
    """Writes one request for each signature, as Serving's `PredictionLog` in a TFRecord file.

    Args:
      folder: the folder of the SavedModel.
      signatures: what each takes and gives.
    """
    path = folder / WARMUP_FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in signatures.items():
            inputs = {
                key: make_constant(_VALUES[key], tuple(_BATCH if size < 0 else size for size in spec.shape))
                for key, spec in signature.inputs.items()
            }
            # Serving runs it on the model that it is loading, whatever name and version stand here.
            request = make_predict_request("attent", None, name, inputs)
            log = make_message("PredictionLog", predict_log=make_message("PredictLog", request=request))
            writer.write(log.SerializeToString())
