"""How fast the training steps of both stages are: images a second, what each optimisation brings, and peak memory.

Every figure is of one process of its own, so that peaks of memory and compiled graphs do not mix; ratios are of one call of
this script. `real` are steps fed by the input pipeline from slices of a records folder's size, `synthetic` are steps on one
fixed batch; the difference is what input costs. `input alone` is the time in which the pipeline makes the batches of a step while
nothing else runs, which bounds that cost where steps are too slow to be repeated often.

    python benchmarks/train_step.py --size demo
    python benchmarks/train_step.py --size paper --steps 5 --variants precision,jit
"""

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from attent_tf.tasks import load_task

# Calls that trace and warm up.
_CALLS_BEFORE = 2

ROOT = Path(__file__).resolve().parents[1]

STAGES = ("translation", "segmentation")

# What processors compute in a way of their own -> what to put for the plain form, and into which places.
PLAIN = {
    "blocks": ("_plain_convolution", "attent_tf.layers.padded_conv.convolve"),
    "dilation": ("_plain_dilation", "attent_tf.layers.padded_conv.convolve_same"),
    "norm": ("_plain_norm", "attent_tf.layers.BatchNormalization.call"),
    "moments": ("_plain_moments", "attent_tf.layers.instance_normalization._normalize_for_gradient"),
    "reflection": ("_plain_reflection", "attent_tf.layers.padded_conv.reflect_pad"),
    "leaky_relu": (
        "_plain_leaky_relu",
        "attent_tf.models.patch_discriminator.leaky_relu",
        "attent_tf.models.map_discriminator.leaky_relu",
    ),
    "pool": ("_exchange_by_copy", "attent_tf.training.image_pool.ImagePool._exchange_one"),
}

# variant -> changes of the setting; the first is what the others are compared with.
VARIANTS = {
    "input": {"float32, synthetic": {}, "float32, real": {"real": True}},
    "calls": {"10 steps a call": {}, "1 step a call": {"steps_per_call": 1}},
    "passes": {"identity with translation": {}, "identity apart": {"apart": True}},
    "processor": {
        "as it is": {},
        **{f"{name} in the plain form": {"plain": [name]} for name in PLAIN},
        "all in the plain form": {"plain": list(PLAIN)},
    },
    "precision": {"float32": {}, "mixed_bfloat16": {"precision": "mixed_bfloat16"}},
    "half": {"float32": {}, "mixed_float16": {"precision": "mixed_float16"}},
    "augmentation": {
        "grey values as they are, real": {"real": True},
        "monotone maps, real": {"real": True, "intensity": "monotone"},
        "class-wise maps, real": {"real": True, "intensity": "class_wise"},
    },
    "jit": {"without XLA": {}, "with XLA": {"jit": True}},
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """What one process measures."""

    size: str
    stage: str
    steps: int
    real: bool = False
    steps_per_call: int = 10
    apart: bool = False
    precision: str = "float32"
    jit: bool = False
    intensity: str = "none"
    batch_size: int | None = None  # of the configuration if None
    plain: tuple[str, ...] = ()  # what is computed in the plain form, of `PLAIN`


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["demo", "paper", "recommended"], default="demo", help="configuration")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--steps", type=int, default=30, help="timed steps of each process")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest round counts")
    parser.add_argument("--variants", default="input,calls,passes,precision", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: seconds of all cores together, for ratios on a machine that does other work",
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(Setting(**json.loads(arguments.one)))))
        return
    for stage in arguments.stages.split(","):
        for group in arguments.variants.split(","):
            if stage != {"passes": "translation", "augmentation": "segmentation"}.get(group, stage):
                continue
            _compare(stage, group, arguments)


def _compare(stage, group, arguments):
    print(f"\n{stage}, {arguments.size}, {group}", flush=True)
    settings = {
        name: Setting(arguments.size, stage, arguments.steps, **changes) for name, changes in VARIANTS[group].items()
    }
    best: dict[str, dict] = {}
    clock = {"wall": "seconds", "cpu": "cpu_seconds"}[arguments.clock]
    # Variants take turns, so that a machine that slows down slows all of them.
    for _ in range(arguments.rounds):
        for name, setting in settings.items():
            result = _in_process(setting)
            if name not in best or result[clock] < best[name][clock]:
                best[name] = result
    base = next(iter(best.values()))
    for name, result in best.items():
        rate = result["images"] / result[clock]
        print(
            f"  {name:28s} {result[clock] * 1000:9.1f} ms a step  {rate:8.2f} images/s  "
            f"time ratio {result[clock] / base[clock]:.3f}  peak {result['peak_mib']:.0f} MiB"
            f"  {(result['flop'] or base['flop']) / 1e9:.1f} GFLOP  input alone {result['input_seconds'] * 1000:.1f} ms"
            f"  {result['operations']} operations, traced and first called in {result['first_seconds']:.1f} s",
            flush=True,
        )


def _in_process(setting):
    command = [sys.executable, __file__, "--one", json.dumps(dataclasses.asdict(setting))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def measure(setting: Setting, with_flop: bool = True) -> dict:
    """Measures a setting in this process.

    Args:
      setting: what to measure.
      with_flop: whether to count the arithmetic of a step, which traces it a second time.

    Returns:
      Seconds a step, images a step, peak memory in MiB, seconds in which the pipeline makes a batch, the operations of the traced
      loop and the processor's seconds until its first call has ended, and the arithmetic of a step (None if it is not counted;
      what XLA compiles cannot be).
    """
    import keras
    import tensorflow as tf

    from attent_tf.configs import load_config
    from attent_tf.methods import get_method
    from attent_tf.training.steps.step import make_step
    from attent_tf.training.strategies import make_strategy

    keras.utils.set_random_seed(0)
    for patch in _patches(setting.plain):
        patch.start()
    changes = [
        f"precision={setting.precision}",
        f"jit={str(setting.jit).lower()}",
        "segmentation.weights=none",
        f"segmentation.augmentation.intensity={setting.intensity}",
    ]
    if setting.batch_size:
        changes.append(f"{setting.stage}.batch_size={setting.batch_size}")
    config = load_config(setting.size, changes)
    stage = getattr(config, setting.stage)
    strategy = make_strategy("auto")
    with strategy.scope():
        inner = make_step(get_method("attent").stage(setting.stage), config, load_task(), "mri2ct", steps=10**6)
        if setting.stage == "translation":
            phase = "anchored" if stage.identity_weight else "free"
            if setting.apart:
                _separate_identity(inner)
        else:
            phase = "aligned"
        step = tf.Variable(0, dtype=tf.int64)
    data = _data(config, setting, stage.batch_size, strategy)

    @tf.function
    def train(iterator, count):
        last = tf.constant(0.0)
        for _ in tf.range(count):
            metrics = inner.update(phase, step.read_value(), *next(iterator))
            step.assign_add(1)
            last = metrics[inner.metric_names[0]]
        return last

    count = tf.constant(min(setting.steps_per_call, setting.steps))
    begin_cpu = time.process_time()
    operations = _count_operations(train.get_concrete_function(data, count).graph.as_graph_def())
    train(data, count).numpy()
    first_seconds = time.process_time() - begin_cpu
    for _ in range(_CALLS_BEFORE - 1):
        train(data, count).numpy()
    calls = _timed_calls(setting)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        train(data, count).numpy()
    seconds = (time.perf_counter() - begin) / (calls * int(count))
    cpu_seconds = (time.process_time() - begin_cpu) / (calls * int(count))
    result = {"seconds": seconds, "cpu_seconds": cpu_seconds, "images": 2 * stage.batch_size, "peak_mib": _peak_mib(tf)}
    result |= {"operations": operations, "first_seconds": first_seconds}
    result["input_seconds"] = _input_seconds(data)
    result["flop"] = None
    if with_flop and not setting.jit:
        result["flop"] = _count_flop(tf, lambda: inner.update(phase, step.read_value(), *next(data)))
    return result


def steps_run(setting: Setting) -> int:
    """Returns how many steps `measure` does, those before the timed ones included."""
    return (_CALLS_BEFORE + _timed_calls(setting)) * min(setting.steps_per_call, setting.steps)


def _timed_calls(setting):
    return max(setting.steps // min(setting.steps_per_call, setting.steps), 1)


def _separate_identity(inner):
    """Gives identity a pass of its own through each generator, as a plain implementation would."""
    import tensorflow as tf

    from attent_tf import losses

    def gradients(x_s, x_t, anchored):
        config = inner.config
        with tf.GradientTape() as tape:
            to_source, to_target = inner.to_source, inner.to_target
            fake_s, fake_t = to_source(x_t), to_target(x_s)
            cycle = losses.l1_loss(to_source(fake_t), x_s) + losses.l1_loss(to_target(fake_s), x_t)
            identity = losses.l1_loss(to_source(x_s), x_s) + losses.l1_loss(to_target(x_t), x_t)
            fooling = inner.judge_source.charge(fake_s) + inner.judge_target.charge(fake_t)
            total = fooling + config.cycle_weight * cycle + config.identity_weight * identity
            loss = tf.reduce_sum(total) / inner.global_batch_size
        metrics = dict.fromkeys(inner.metric_names, tf.constant(0.0)) | {"generator": loss}
        return tape.gradient(loss, inner.generators.variables_updated), fake_s, fake_t, metrics

    inner._generator_gradients = gradients


def _patches(names):
    chosen = [PLAIN[name] for name in names]
    return [mock.patch(place, globals()[form]) for form, *places in chosen for place in places]


def _plain_convolution(x, kernel):
    import tensorflow as tf

    return tf.nn.convolution(x, kernel, padding="VALID")


def _plain_dilation(x, kernel, dilation):
    import tensorflow as tf

    pixels = dilation * (kernel.shape[0] - 1) // 2
    padded = tf.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]])
    return tf.nn.convolution(padded, kernel, padding="VALID", dilations=dilation)


def _plain_norm(layer, inputs, training=False):
    import keras

    return keras.layers.BatchNormalization.call(layer, inputs, training=training)


def _plain_moments(x, epsilon):
    import tensorflow as tf

    mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + epsilon)


def _plain_reflection(x, pixels):
    import tensorflow as tf

    return tf.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], mode="REFLECT")


def _plain_leaky_relu(x):
    import tensorflow as tf

    return tf.maximum(x, 0.2 * x)


def _exchange_by_copy(pool, image, seed):
    """The exchange of one image with all images of the pool written anew."""
    import tensorflow as tf

    count = pool._count.read_value()
    filling = count < pool.capacity
    draw = tf.random.stateless_uniform([2], seed)
    keep_old = tf.logical_and(tf.logical_not(filling), draw[0] < 0.5)
    place = tf.where(filling, count, tf.cast(draw[1] * pool.capacity, tf.int64))
    old = pool._images.read_value()[place]
    stored = tf.where(tf.logical_or(filling, keep_old), image, old)
    images = tf.tensor_scatter_nd_update(pool._images.read_value(), place[None, None], stored[None])
    pool._images.assign(images)
    pool._count.assign(tf.minimum(count + 1, pool.capacity))
    return tf.where(keep_old, old, image)


def _data(config, setting, batch_size, strategy):
    import numpy as np
    import tensorflow as tf

    from attent_tf.data.batches import batches
    from attent_tf.data.slices import SliceArrays
    from attent_tf.training.loop import replica_batches

    size, count = config.data.image_size, 400
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (count, size, size, 1)).astype(np.float32)
    labels = rng.integers(0, 5, (count, size, size)).astype(np.uint8)
    labelled = SliceArrays(images, labels if setting.stage == "segmentation" else None)
    augmentation = config.segmentation.augmentation
    streams = (
        batches(part, config.data, batch_size, seed, load_task().num_classes, augmentation=augmentation)
        for seed, part in enumerate((labelled, SliceArrays(images, None)))
    )
    real = tf.data.Dataset.zip(tuple(streams))
    if not setting.real:
        real = real.take(1).cache().repeat()
    return replica_batches(0, lambda _: lambda _: real, strategy)


def _input_seconds(data, ahead=50, batches=50):
    """Seconds in which the pipeline makes one batch; those that it has made ahead are not counted."""
    for _ in range(ahead):
        next(data)
    begin = time.perf_counter()
    for _ in range(batches):
        next(data)
    return (time.perf_counter() - begin) / batches


def _peak_mib(tf):
    if tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _count_operations(graph):
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)


def _count_flop(tf, update):
    """Arithmetic of one update without blocks, as TensorFlow's profiler counts it from operations before any is pruned."""
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with contextlib.ExitStack() as plain:
        for patch in _patches(["blocks"]):
            plain.enter_context(patch)
        graph = tf.function(update).get_concrete_function().graph
    return tf.compat.v1.profiler.profile(graph, options=options).total_float_ops


if __name__ == "__main__":
    main()
