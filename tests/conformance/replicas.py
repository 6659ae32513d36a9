"""Runs every row on one device and, its batch halved, on two replicas;
a program of its own, since devices are fixed once TensorFlow runs.

python -m tests.conformance.replicas OUT.npz

It writes `ROW/{one,two}/{outputs,gradient}/INDEX`, and `ROW/error` where one failed.
"""

import sys
import traceback

import numpy as np
import tensorflow as tf

from tests.conformance.calls import gradient, make_filled, outputs, tensors
from tests.conformance.catalogue import ALL, DIFFERENTIABLE, Row
from tests.support.variables import share_kernels


def on_one_device(row: Row) -> dict[str, list]:
    """Returns outputs and gradient of the whole batch."""
    function, inputs = make_filled(row), tensors(row)
    return {"outputs": outputs(function, inputs), "gradient": _gradient(row, function, inputs)}


def on_two_replicas(row: Row, strategy: tf.distribute.Strategy) -> dict[str, list]:
    """Returns outputs and gradient of both halves, put together as a trainer does: examples in a row, gradients summed."""
    with strategy.scope():
        function = make_filled(row)

    def share(array):
        each = np.split(array, strategy.num_replicas_in_sync)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(each[context.replica_id_in_sync_group])
        )

    # Not traced, which would take longer; that a graph gives the same is another property.
    results, gradients = strategy.run(
        lambda *x: (outputs(function, x), _gradient(row, function, x)), args=tuple(share(array) for array in row.inputs)
    )
    whole = [np.concatenate(strategy.experimental_local_results(part)) for part in results]
    if getattr(function, "trainable_variables", None):
        summed = [strategy.reduce("SUM", part, axis=None) for part in gradients]
    else:
        summed = [np.concatenate(strategy.experimental_local_results(part)) for part in gradients]
    return {"outputs": whole, "gradient": summed}


def _gradient(row, function, inputs):
    if row not in DIFFERENTIABLE:
        return []
    return [part for part in gradient(function, inputs) if part is not None]


def main(out: str) -> None:
    """Writes all results to `out`."""
    share_kernels()
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    # Replicas that are not traced are slow, and told to be so with each call.
    tf.get_logger().setLevel("ERROR")
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    found = {}
    for row in ALL:
        if not row.is_available:
            continue
        try:
            parts = {"one": on_one_device(row), "two": on_two_replicas(row, strategy)}
        except Exception:  # the other rows still have something to say
            found[f"{row.name}/error"] = np.array(traceback.format_exc())
            continue
        for count, results in parts.items():
            for kind, arrays in results.items():
                found.update({f"{row.name}/{count}/{kind}/{i}": np.asarray(array) for i, array in enumerate(arrays)})
    np.savez(out, **found)


if __name__ == "__main__":
    main(sys.argv[1])
