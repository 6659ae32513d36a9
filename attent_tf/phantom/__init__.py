"""Procedural subjects: an abdomen in the layouts of CHAOS and MALBCV, and shapes for the task of that name."""

from attent_tf.phantom.shapes import write_shapes
from attent_tf.phantom.writing import write_phantom

__all__ = ["write_phantom", "write_shapes"]
