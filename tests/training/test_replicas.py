"""One device and two give the same weights, because losses are divided by the global batch."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

# method -> the stages of it that are trained.
_STAGES = {
    "attent": ("translation", "segmentation"),
    "synseg": ("joint",),
    "cycada": ("adaptation",),
    "cycada_semantic": ("translation",),
    "pnp_adanet": ("segmentation", "adaptation"),
}
_CASES = [(method, stage) for method, stages in _STAGES.items() for stage in stages]

_PROGRAM = textwrap.dedent(
    """
    import json, sys
    import keras, numpy as np, tensorflow as tf
    from tests.support.inner_steps import make_inner, small_config

    cases, replicas = json.loads(sys.argv[1]), int(sys.argv[2])
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"][:replicas])
    share = 4 // replicas
    def value(array):
        def of(context):
            i = context.replica_id_in_sync_group
            return tf.constant(array[i * share : (i + 1) * share])
        return strategy.experimental_distribute_values_from_function(of)
    def trained(method, stage):
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        a = rng.uniform(-1, 1, (4, 32, 32, 1)).astype(np.float32)
        b = rng.uniform(-1, 1, (4, 32, 32, 1)).astype(np.float32)
        y = rng.integers(0, 5, (4, 32, 32)).astype(np.uint8)
        with strategy.scope():
            config = small_config(
                translation={"filters": 2, "discriminator_filters": 2, "upsample_kernel": 1, "batch_size": 4},
                segmentation={"rates": (1,), "discriminator_filters": 2, "dice_weight": 1.0},
                cycada={"gate_accuracy": 0.0, "semantic_gate": 10.0},
                pnp_adanet={"critic_steps": 1},
            )
            inner = make_inner(method, stage, config, steps=10)
            for update in inner.weight_updates.values():
                update.optimizer.epsilon = 1e-2
            # Batch norms see half of the batch on each of two devices; that part differs by design.
            for network in inner.networks.values():
                for layer in network._flatten_layers():
                    if isinstance(layer, keras.layers.BatchNormalization):
                        layer.trainable = False
        source = inner.context.stage.inputs[0]
        phase, _ = inner.phase(0)
        step = tf.function(inner.update)
        for i in range(3):
            shown = (value(a), value(y)) if source.labels else value(a)
            targets = [value(b)] * (len(inner.context.stage.inputs) - 1)
            metrics = step(phase, tf.constant(i, tf.int64), shown, *targets)
        total = {k: float(v) for k, v in metrics.items()}
        weights = [float(np.abs(v.numpy()).sum()) for n in inner.networks.values() for v in n.weights]
        return {"weights": weights, "metrics": total}
    print(json.dumps({f"{method} {stage}": trained(method, stage) for method, stage in cases}))
    """
)


@pytest.fixture(scope="module")
def results():
    """What one device and two came to."""
    return [_run(replicas) for replicas in (1, 2)]


def _run(replicas):
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(_CASES), str(replicas)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize(("method", "stage"), _CASES)
def test_two_replicas_train_like_one(method, stage, results):
    one, two = (of[f"{method} {stage}"] for of in results)
    np.testing.assert_allclose(two["weights"], one["weights"], rtol=2e-4, atol=1e-4)
    assert two["metrics"].keys() == one["metrics"].keys()
    for name, value in one["metrics"].items():
        assert two["metrics"][name] == pytest.approx(value, rel=1e-3, abs=1e-4), name
