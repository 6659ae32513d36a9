"""A client for a TensorFlow Serving that holds an exported chain. Needs no TensorFlow."""

from attent_tf.serving.connect import connect
from attent_tf.serving.credentials import Credentials, read_authorization
from attent_tf.serving.remote_chain import RemoteChain

__all__ = ["Credentials", "RemoteChain", "connect", "read_authorization"]
