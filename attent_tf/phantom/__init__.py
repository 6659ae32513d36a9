"""A procedural abdomen, different for every subject, written in the layouts of CHAOS and MALBCV."""

from attent_tf.phantom.writing import write_phantom

__all__ = ["write_phantom"]
