"""One device and two give the same weights, because losses are divided by the global batch."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

_PROGRAM = textwrap.dedent(
    """
    import json, sys
    import keras, numpy as np, tensorflow as tf
    from tests.support.inner_steps import make_inner, small_config

    stage, replicas = sys.argv[1], int(sys.argv[2])
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"][:replicas])
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    a = rng.uniform(-1, 1, (4, 32, 32, 1)).astype(np.float32)
    b = rng.uniform(-1, 1, (4, 32, 32, 1)).astype(np.float32)
    y = rng.integers(0, 5, (4, 32, 32)).astype(np.uint8)
    with strategy.scope():
        config = small_config(
            translation={"filters": 2, "discriminator_filters": 2, "upsample_kernel": 1, "batch_size": 4},
            segmentation={"rates": (1,), "discriminator_filters": 2, "dice_weight": 1.0},
        )
        inner = make_inner("attent", stage, config, steps=10)
        for update in inner.weight_updates.values():
            update.optimizer.epsilon = 1e-2
        if stage == "segmentation":
            # Batch norms see half of the batch on each of two devices; that part differs by design.
            for layer in inner.segmentor._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.trainable = False
    share = 4 // replicas
    def value(array):
        def of(context):
            i = context.replica_id_in_sync_group
            return tf.constant(array[i * share : (i + 1) * share])
        return strategy.experimental_distribute_values_from_function(of)
    @tf.function
    def step(i, *batch):
        if stage == "translation":
            return inner.update("anchored", i, *batch)
        x, labels, t = batch
        return inner.update("aligned", i, (x, labels), t)
    for i in range(3):
        batch = (value(a), value(b)) if stage == "translation" else (value(a), value(y), value(b))
        metrics = step(tf.constant(i, tf.int64), *batch)
    total = {k: float(v) for k, v in metrics.items()}
    weights = [float(np.abs(v.numpy()).sum()) for v in inner.trainable_variables]
    print(json.dumps({"weights": weights, "metrics": total}))
    """
)


def _run(stage, replicas):
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, stage, str(replicas)],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["translation", "segmentation"])
def test_two_replicas_train_like_one(stage):
    one, two = _run(stage, 1), _run(stage, 2)
    np.testing.assert_allclose(two["weights"], one["weights"], rtol=2e-4, atol=1e-4)
    assert two["metrics"].keys() == one["metrics"].keys()
    for name, value in one["metrics"].items():
        assert two["metrics"][name] == pytest.approx(value, rel=1e-3, abs=1e-4), name
