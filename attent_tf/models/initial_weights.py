"""Initial weights: kernels that follow from a run's seed and their own place, and from nothing else.

A Keras initializer gives the same values each time it is called, and draws its seed from a stream that every layer before it
has advanced. Here no two kernels begin alike, even if layers share an initializer, and none depends on the order in which
networks are made.
"""

import hashlib

import keras


def draw_kernels(network: keras.Model, seed: int) -> None:
    """Gives each kernel of a network values of its own from its layer's initializer.

    Args:
      network: a built network; the paths of its variables begin with its name.
      seed: the seed of the run.
    """
    for layer in network._flatten_layers():
        initializer, kernel = getattr(layer, "kernel_initializer", None), getattr(layer, "kernel", None)
        # Layers made of others keep the initializer for these; those of other packages may have none.
        if kernel is None or not isinstance(initializer, keras.initializers.Initializer):
            continue
        config = initializer.get_config()
        if "seed" in config:
            drawn = type(initializer).from_config({**config, "seed": _seed_of(kernel.path, seed)})
            kernel.assign(drawn(kernel.shape, kernel.dtype))


def _seed_of(path, seed):
    digest = hashlib.sha256(f"{seed} {path}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
