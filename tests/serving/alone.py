"""Asks an exported model where neither the project nor what it needs beside TensorFlow can be imported (see `hiding.py`).

alone.py MODEL IMAGE.npy

It writes the answer to IMAGE.npy.answer.npz.
"""

import sys

import numpy as np
import tensorflow as tf

if __name__ == "__main__":
    for hidden in ("attent_tf", "cli", "apache_beam", "nibabel", "scipy"):
        try:
            __import__(hidden)
        except ModuleNotFoundError:
            continue
        sys.exit(f"{hidden} can be imported")
    model, image = sys.argv[1:]
    answer = tf.saved_model.load(model).signatures["serving_default"](image=tf.constant(np.load(image)))
    np.savez(f"{image}.answer.npz", **{name: value.numpy() for name, value in answer.items()})
