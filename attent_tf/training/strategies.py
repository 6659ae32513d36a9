"""Distribution strategies by name, and what a run must know of the devices it runs on."""

import json
import os

import tensorflow as tf

from attent_tf.choices import STRATEGIES
from attent_tf.errors import ConfigError


def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Makes a strategy.

    Args:
      name: `auto` and `mirrored`: `MirroredStrategy` over all GPUs of this machine, or over its CPU. `one`: the first GPU, or
        the CPU. `multi_worker`: all GPUs of several machines, or their CPUs, as `TF_CONFIG` says; ask for it before anything
        else is computed.

    Raises:
      ConfigError: there is no such name, or `TF_CONFIG` does not name this worker.
    """
    if name not in STRATEGIES:
        raise ConfigError(f"--strategy: expected one of {', '.join(STRATEGIES)}, found {name!r}")
    if name == "multi_worker":
        _check_tf_config(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    gpus = tf.config.list_physical_devices("GPU")
    if name == "one":
        return tf.distribute.OneDeviceStrategy("GPU:0" if gpus else "CPU:0")
    return tf.distribute.MirroredStrategy(None if gpus else ["CPU:0"])


def worker_index(strategy: tf.distribute.Strategy) -> int:
    """Returns this process's place among the workers of a strategy; worker 0, the chief, writes the run folder."""
    if not _of_several_workers(strategy):
        return 0
    resolver = strategy.cluster_resolver
    workers = resolver.cluster_spec().as_dict()
    # TF_CONFIG may call the first worker `chief`.
    return resolver.task_id + (len(workers.get("chief", [])) if resolver.task_type == "worker" else 0)


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns once every worker has come here; call it in cross-replica context."""
    if not _of_several_workers(strategy):
        return

    @tf.function(autograph=False)
    def meet():
        return strategy.reduce("SUM", strategy.run(lambda: tf.constant(1.0)), axis=None)

    meet()


def mean_of_workers(strategy: tf.distribute.Strategy, value: float) -> float:
    """Returns the mean of each worker's `value`, the same for all; call it in cross-replica context."""
    if not _of_several_workers(strategy):
        return value

    @tf.function(autograph=False)
    def mean():
        return strategy.reduce("MEAN", strategy.run(lambda: tf.constant(value)), axis=None)

    return float(mean())


def _of_several_workers(strategy):
    if strategy.cluster_resolver is None:
        return False
    return getattr(strategy.extended, "_in_multi_worker_mode", lambda: False)()


def device_names(strategy: tf.distribute.Strategy) -> list[str]:
    """Names of the replicas' devices on this machine, with the model of a GPU where there is one."""
    names = []
    for device in strategy.extended.worker_devices:
        short = tf.DeviceSpec.from_string(device)
        kind = f"{short.device_type}:{short.device_index}"
        gpus = tf.config.list_physical_devices("GPU") if short.device_type == "GPU" else []
        details = tf.config.experimental.get_device_details(gpus[short.device_index]) if gpus else {}
        names.append(" ".join(filter(None, (kind, details.get("device_name", "")))))
    return names


def replica_batch(stage: str, batch_size: int, strategy: tf.distribute.Strategy) -> int:
    """Returns how many images of a batch each replica gets.

    Raises:
      ConfigError: the batch cannot be parted evenly, so that replicas would not count alike.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ConfigError(
            f"configuration key {stage}.batch_size: expected a multiple of the {replicas} devices, found {batch_size}"
        )
    return batch_size // replicas


def _check_tf_config(text):
    expected = '{"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": "worker", "index": 0}}'
    try:
        content = json.loads(text or "")
        kind, index = content["task"]["type"], content["task"]["index"]
        known = content["cluster"][kind][index]
    except (ValueError, KeyError, TypeError, IndexError):
        known = None
    if not known:
        raise ConfigError(f"--strategy multi_worker: expected TF_CONFIG like {expected}, found {text!r}")
