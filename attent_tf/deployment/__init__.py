"""What a deployed model is, wherever it runs: what it says of slices, its signatures, and its contract. No TensorFlow."""

from attent_tf.deployment.contract import METADATA_FILE, METADATA_FORMAT, ModelContract, read_contract
from attent_tf.deployment.output import ChainOutput, output_of
from attent_tf.deployment.signature import Signature, TensorSpec, expected_signatures

__all__ = [
    "METADATA_FILE",
    "METADATA_FORMAT",
    "ChainOutput",
    "ModelContract",
    "Signature",
    "TensorSpec",
    "expected_signatures",
    "output_of",
    "read_contract",
]
