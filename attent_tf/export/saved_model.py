"""The deployed chain as a SavedModel.

The names of inputs and outputs are an interface that servers and their clients rely on.
"""

import os

import keras
import tensorflow as tf

from attent_tf.files import folder_written_aside
from attent_tf.inference.chain import load_chain
from attent_tf.runs import Run


def export_chain(run: Run, out: str | os.PathLike) -> None:
    """Writes the chain S(G_t2s(x)), or S alone, of a trained run.

    Signatures, all with input `image` [batch, 256, 256, channels] float32 in [−1, 1], prepared like the training records
    (the edge is that of the records; 1 channel, or the slice in the middle of its neighbours):

    - `serving_default`: `probabilities` [batch, 256, 256, classes] float32, `labels` [batch, 256, 256] int64.
    - `translate`: `translated` [batch, 256, 256, channels] float32; the image itself for methods without a translator.
    - `entropy`: `entropy` [batch, 256, 256, 1] float32 in [0, 1] (Eq. 6).

    Args:
      run: a trained run.
      out: the folder to make.

    Raises:
      RunError: the run is not trained.
      InputError: `out` is there and not empty.
    """
    chain = load_chain(run)
    options = run.prepare_options
    signature = [tf.TensorSpec((None, options.size, options.size, options.channels), tf.float32, name="image")]

    def serve(image):
        output = chain(image)
        return {"probabilities": output.probabilities, "labels": tf.cast(output.labels, tf.int64)}

    def translate(image):
        return {"translated": chain(image).translated}

    def entropy(image):
        return {"entropy": chain(image).entropy}

    archive = keras.export.ExportArchive()
    archive.track(chain)
    archive.add_endpoint("serving_default", serve, signature)
    archive.add_endpoint("translate", translate, signature)
    archive.add_endpoint("entropy", entropy, signature)
    with folder_written_aside(out) as aside:
        archive.write_out(str(aside), verbose=False)
