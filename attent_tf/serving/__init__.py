"""A client for a TensorFlow Serving that holds an exported chain. Needs no TensorFlow."""

from attent_tf.serving.connect import connect
from attent_tf.serving.contract import ModelContract, read_contract
from attent_tf.serving.remote_chain import RemoteChain

__all__ = ["ModelContract", "RemoteChain", "connect", "read_contract"]
