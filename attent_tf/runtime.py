"""How TensorFlow is started: quietly, and with the kernels that suit the machine."""

import contextlib
import os
from collections.abc import Iterator

from attent_tf.counting import counted
from attent_tf.errors import ConfigError


def choose_kernels() -> None:
    """Asks for oneDNN, before TensorFlow is imported; a value that the user set is kept.

    TensorFlow turns oneDNN on by itself only on CPUs with AVX-512 VNNI; without it, convolutions and their gradients take
    several times as long on the others.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def start_quietly() -> None:
    """Imports TensorFlow and looks for devices without the notices that it writes to standard error on the way."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()
    tf.get_logger().setLevel("ERROR")


def use_device(name: str) -> None:
    """Leaves TensorFlow one kind of device, or one GPU, in this process, before it computes anything.

    Args:
      name: `auto` for whatever there is, `cpu`, `gpu`, or `gpu:N` for the GPU with that number, from 0.

    Raises:
      ConfigError: there is no such GPU, or TensorFlow computes on others already.
    """
    if name == "auto":
        return
    start_quietly()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    kind, _, number = name.partition(":")
    wanted = [] if kind == "cpu" else gpus[int(number) : int(number) + 1] if number else gpus
    if kind == "gpu" and not wanted:
        found = counted(len(gpus), "GPU") if gpus else "none"
        raise ConfigError(f"--device {name}: expected a GPU that TensorFlow sees, found {found}; see attent doctor")
    try:
        tf.config.set_visible_devices(wanted, "GPU")
    except RuntimeError as error:
        raise ConfigError(
            f"--device {name}: expected before TensorFlow first computes in this process; choose it first, or in another process"
        ) from error


def on_processor() -> bool:
    """Whether TensorFlow has no GPU to compute on."""
    import tensorflow as tf

    return not tf.config.get_visible_devices("GPU")


def device_name(cores: int) -> str:
    """Returns in words what TensorFlow runs on: its first GPU, or the number of the CPU's cores."""
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return f"processor, {counted(cores, 'core')}"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    # The notices come from C++, before any log level is obeyed: only the file descriptor helps.
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
