"""How gradients of several replicas become one update: clipped after the sum, skipped on all where one overflowed."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.training.precision import LossScale

_PROGRAM = textwrap.dedent(
    """
    import json
    import keras, numpy as np, tensorflow as tf
    from attent_tf.configs import OptimizerConfig
    from attent_tf.training.image_pool import ImagePool
    from attent_tf.training.weight_update import WeightUpdate

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    found = {}

    def per_replica(values):
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(values[context.replica_id_in_sync_group], tf.float32)
        )

    def make(precision, clip_norm):
        with strategy.scope():
            weights = keras.Variable(np.zeros(2, np.float32), name="weights")
            config = OptimizerConfig(learning_rate=1.0, clip_norm=clip_norm)
            update = WeightUpdate(config, 10, [weights], precision)
            # Plain steepest descent, so that the weights show the gradient that was applied.
            update.optimizer = keras.optimizers.SGD(1.0)
            update.optimizer.build([weights])
        @tf.function
        def apply(gradient):
            update.apply([gradient])
        return weights, update, apply

    weights, _, apply = make("float32", clip_norm=1.0)
    apply(per_replica([[3.0, 0.0], [0.0, 4.0]]))
    found["clipped"] = weights.numpy().tolist()

    weights, _, apply = make("float32", clip_norm=0.0)
    apply(per_replica([[3.0, 0.0], [0.0, 4.0]]))
    found["summed"] = weights.numpy().tolist()

    for replica in (0, 1):
        for bad in (np.inf, np.nan, -np.inf):
            weights, update, apply = make("mixed_float16", clip_norm=0.0)
            scale = float(update.loss_scale.value.numpy())
            gradients = [[scale, 0.0], [0.0, scale]]
            apply(per_replica(gradients))
            before = weights.numpy().tolist()
            gradients[replica] = [bad, 1.0]
            apply(per_replica(gradients))
            copies = [v.numpy().tolist() for v in strategy.experimental_local_results(weights.value)]
            halved = float(update.loss_scale.value.numpy()) / scale
            apply(per_replica([[scale / 2, 0.0], [0.0, 0.0]]))
            found[f"overflow {replica} {bad}"] = [before, copies, halved, weights.numpy().tolist()]

    weights, update, apply = make("mixed_float16", clip_norm=1.0)
    scale = float(update.loss_scale.value.numpy())
    apply(per_replica([[3.0 * scale, 0.0], [0.0, 4.0 * scale]]))
    found["scaled and clipped"] = weights.numpy().tolist()

    with strategy.scope():
        pool = ImagePool(2, (1, 1, 1), name="pool")
    @tf.function
    def exchange(image, step):
        seed = tf.stack([tf.constant(0, tf.int64), step])
        return strategy.run(lambda x: pool.exchange(tf.reshape(x, (1, 1, 1, 1)), seed), args=(image,))
    shown = [[], []]
    for step in range(40):
        images = exchange(per_replica([float(step), 100.0 + step]), tf.constant(step, tf.int64))
        for replica, image in enumerate(strategy.experimental_local_results(images)):
            shown[replica].append(float(tf.reshape(image, [])))
    found["shown"] = shown
    print(json.dumps(found))
    """
)


@pytest.fixture(scope="module")
def found():
    result = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=1200, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
def test_gradients_are_summed_over_replicas(found):
    assert found["summed"] == [-3.0, -4.0]


@pytest.mark.slow
def test_clipping_acts_on_the_sum(found):
    # The sum (3, 4) has the norm 5. Each part clipped by itself would have given (1, 1).
    np.testing.assert_allclose(found["clipped"], [-0.6, -0.8], rtol=1e-6)


@pytest.mark.slow
def test_a_scaled_gradient_is_unscaled_before_it_is_clipped(found):
    np.testing.assert_allclose(found["scaled and clipped"], [-0.6, -0.8], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("replica", [0, 1])
@pytest.mark.parametrize("bad", ["inf", "nan", "-inf"])
def test_an_overflow_on_either_replica_skips_the_step_on_both(found, replica, bad):
    before, copies, halved, after = found[f"overflow {replica} {bad}"]
    assert before == [-1.0, -1.0]
    assert copies == [before, before]
    assert halved == 0.5
    assert after == [-2.0, -1.0]


@pytest.mark.slow
def test_each_replica_has_an_image_pool_of_its_own(found):
    first, second = found["shown"]
    assert max(first) < 40
    assert min(second) >= 100
    assert sum(image != step for step, image in enumerate(first)) > 5


def test_the_loss_scale_grows_after_a_long_time_without_overflow_and_not_beyond_its_bounds():
    scale = LossScale(initial=4.0, growth_steps=3)
    seen = []
    for finite in (True, True, True, True, False, True, True, True, False, False, False, False, False, False):
        scale.update(tf.constant(finite))
        seen.append(float(scale.value))
    assert seen == [4, 4, 8, 8, 4, 4, 4, 8, 4, 2, 1, 1, 1, 1]
