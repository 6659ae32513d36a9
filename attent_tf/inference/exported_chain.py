"""An exported model in this process, in the place of a chain out of a run. TensorFlow is loaded with the first model."""

import os
from pathlib import Path

import numpy as np

from attent_tf.deployment.output import ChainOutput, output_of
from attent_tf.errors import InputError
from attent_tf.volumes import PrepareOptions

_SEGMENT = "serving_default"
_ADVICE = "give a version folder that attent export wrote"


class ExportedChain:
    """Segments slices with a SavedModel; `segment_prepared` and `run_slices` take it as they take a `Chain`.

    Args:
      folder: the folder of a version, such as `models/attent/1`.
      options: how the slices are prepared: those of the model's contract.
      num_classes: C, as of the contract's task.

    Raises:
      InputError: TensorFlow cannot load the folder, or the model is no exported chain for such slices.
    """

    has_translator = False

    def __init__(self, folder: str | os.PathLike, options: PrepareOptions, num_classes: int):
        import tensorflow as tf

        check_saved_model(folder)
        try:
            self._model = tf.saved_model.load(str(folder))
        except Exception as error:  # what TensorFlow raises at a damaged file depends on the byte
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(folder, "a SavedModel that TensorFlow can load", reason, "export it again") from error
        found = self._model.signatures
        if _SEGMENT not in found:
            raise InputError(folder, f"the signature {_SEGMENT}", ", ".join(found) or "none", _ADVICE)
        self._segment = found[_SEGMENT]
        inputs = {name: tuple(spec.shape) for name, spec in self._segment.structured_input_signature[1].items()}
        expected = {"image": (None, options.size, options.size, options.channels)}
        if inputs != expected or "probabilities" not in self._segment.structured_outputs:
            raise InputError(folder, f"a signature {_SEGMENT} that takes {expected}", str(inputs), _ADVICE)
        classes = self._segment.structured_outputs["probabilities"].shape[-1]
        if classes != num_classes:
            raise InputError(folder, f"probabilities of the {num_classes} classes of its task", f"{classes}", _ADVICE)
        self._constant = tf.constant

    def __call__(self, images: np.ndarray) -> ChainOutput:
        """Segments `images` [batch, size, size, channels] float32 in [−1, 1]; returns NumPy arrays, `translated` None."""
        return output_of(self._segment(image=self._constant(images))["probabilities"].numpy())


def check_saved_model(folder: str | os.PathLike) -> None:
    """Refuses a folder that holds no SavedModel; TensorFlow is not needed for that."""
    if not (Path(folder) / "saved_model.pb").is_file():
        raise InputError(folder, "a SavedModel (saved_model.pb)", "none", _ADVICE)
