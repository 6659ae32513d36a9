"""Trains every kind of step on one device and on two; a program of its own, since devices are fixed once TensorFlow runs.

python -m tests.methods.replicas OUT.json

It writes, by kind (`method/stage`), the two results: metrics, how often each update was made, and the sum of magnitudes of each
variable that is updated or follows one that is.
"""

import dataclasses
import json
import math
import random
import sys
import traceback
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from attent_tf.tasks import load_task
from attent_tf.training.steps.step import make_step
from tests.methods.tiny import kinds_of_steps, tiny_config
from tests.support.inner_steps import first_of_each_phase, random_batch
from tests.support.variables import share_kernels

_BATCH = 4
_MOST_TURNS = 4


def _trained(stage, config, strategy):
    """The result of an update in each phase, and of more in the last one until each weight update had its turn.

    Batches are shared out over the replicas.
    """
    random.seed(0)
    with strategy.scope():
        inner = make_step(stage, config, load_task(), "mri2ct", steps=10)
        for update in inner.weight_updates.values():
            if hasattr(update.optimizer, "epsilon"):
                # Adam makes large steps of small differences.
                update.optimizer.epsilon = 1e-2
        for network in inner.networks.values():
            _make_alike_for_any_share_of_a_batch(network)

    def shared(value):
        if isinstance(value, tuple):
            return tuple(shared(part) for part in value)
        each = np.split(value, strategy.num_replicas_in_sync)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(each[context.replica_id_in_sync_group])
        )

    inner.begin_averages()
    batch = [shared(value) for value in random_batch(stage, _BATCH, config.data.image_size)]
    # Not traced, which would take four times as long; whole runs are.
    phases = first_of_each_phase(inner, 10)
    last, phase = phases[-1]
    for at, name in [*phases, *((last + turn, phase) for turn in range(1, _MOST_TURNS))]:
        if at > last and all(_times_made(inner).values()):
            break
        metrics = inner.update(name, tf.constant(at, tf.int64), *batch)
        inner.follow(tf.constant(at, tf.int64))
    updated = [variable for update in inner.weight_updates.values() for variable in update.variables_updated]
    updated += [variable for part in stage.parts if part.follows for variable in inner.networks[part.role].variables]
    return {
        "metrics": {name: float(metrics[name]) for name in inner.metric_names},
        "times_made": _times_made(inner),
        "weights": [float(np.abs(variable.numpy()).sum()) for variable in updated],
    }


def _times_made(inner):
    return {name: int(update.optimizer.iterations.numpy()) for name, update in inner.weight_updates.items()}


def _make_alike_for_any_share_of_a_batch(network):
    """Batch norms see half of the batch on each of two devices, and dropout draws for itself; both by design."""
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
        elif "Dropout" in type(layer).__name__:
            layer.rate = 0.0


def _comparable(config):
    """Batches of `_BATCH` in each section of a stage, the semantic loss counting from the first step, and no image pools: each
    device draws from its own.
    """
    config = dataclasses.replace(config, cycada=dataclasses.replace(config.cycada, semantic_gate=math.inf))
    changes = {}
    for field in dataclasses.fields(config):
        section = getattr(config, field.name)
        if hasattr(section, "batch_size"):
            pool = {"pool_size": 0} if hasattr(section, "pool_size") else {}
            changes[field.name] = dataclasses.replace(section, batch_size=_BATCH, **pool)
    return dataclasses.replace(config, **changes)


def main(out: str) -> None:
    """Writes all results to `out`."""
    # Replicas that are not traced are slow, and told to be so with each update.
    tf.get_logger().setLevel("ERROR")
    share_kernels()
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    alone, in_two = (tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"][:count]) for count in (1, 2))
    found = {}
    for kind, (method, stage) in kinds_of_steps().items():
        config = _comparable(tiny_config(method))
        try:
            found[kind] = [_trained(stage, config, strategy) for strategy in (alone, in_two)]
        except Exception:  # the other kinds still have something to say
            found[kind] = traceback.format_exc()
    Path(out).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
