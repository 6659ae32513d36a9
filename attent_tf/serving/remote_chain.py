"""The deployed chain on a server, in the place of the one that runs here."""

import numpy as np

from attent_tf.deployment.output import ChainOutput, output_of
from attent_tf.deployment.signature import check_signature, expected_signatures
from attent_tf.errors import ServerError
from attent_tf.serving.connect import ModelServer
from attent_tf.volumes import PrepareOptions

_SEGMENT, _TRANSLATE = "serving_default", "translate"


class RemoteChain:
    """Segments slices on a server; `segment_volume` and `run_slices` take it as they take a `Chain`.

    Before anything is sent, the server is asked whether its model has the signatures of an exported chain for slices of
    this size.

    Args:
      server: from `connect`.
      options: how the slices are prepared: those of the model's contract, or of its run.
      num_classes: C, as of the task of either.
      translate: whether the translated slices are asked for too, which is a second request for each batch.
      slices_per_request: a batch is sent in parts of this many slices. As JSON, a slice's probabilities are several megabytes.

    Attributes:
      has_translator: whether translated slices are asked for.

    Raises:
      ServerError: there is no server, no such model, or one that is no exported chain for such slices.
    """

    def __init__(
        self,
        server: ModelServer,
        options: PrepareOptions,
        num_classes: int,
        translate: bool = False,
        slices_per_request: int = 8,
    ):
        self._server = server
        self._slices = slices_per_request
        self._signatures = expected_signatures(options.size, options.channels, num_classes)
        self.has_translator = translate
        found = server.signatures()
        for name in (_SEGMENT, _TRANSLATE) if translate else (_SEGMENT,):
            check_signature(server.where, name, found, self._signatures[name])

    def __call__(self, images: np.ndarray) -> ChainOutput:
        """Segments `images` [batch, size, size, channels] float32 in [−1, 1].

        Returns:
          NumPy arrays; `translated` is None where it was not asked for.

        Raises:
          ServerError: the server cannot be reached any more, or refuses the request; then with its own words.
        """
        probabilities = self._run(_SEGMENT, images, "probabilities")
        translated = self._run(_TRANSLATE, images, "translated") if self.has_translator else None
        return output_of(probabilities, translated)

    def _run(self, name: str, images: np.ndarray, output: str) -> np.ndarray:
        starts = range(0, len(images), self._slices)
        return np.concatenate([self._part(name, images[start : start + self._slices], output) for start in starts])

    def _part(self, name: str, images: np.ndarray, output: str) -> np.ndarray:
        answer = self._server.predict(name, self._signatures[name], {"image": images})[output]
        if len(answer) != len(images):
            raise ServerError(f"{self._server.where}: expected {output} of {len(images)} slices, found {len(answer)}")
        return answer
