"""The device that a process leaves TensorFlow. GPUs are made up: what is asked of TensorFlow is looked at."""

import pytest
import tensorflow as tf

from attent_tf.api.chains import choose_device
from attent_tf.errors import ConfigError
from attent_tf.runtime import device_name, on_processor, use_device

_GPUS = ["first GPU", "second GPU"]


@pytest.fixture
def visible(monkeypatch):
    """What TensorFlow is left of two GPUs, in the place of its own list."""
    left = list(_GPUS)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: _GPUS)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: list(left))
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: left.__setitem__(slice(None), devices))
    return left


@pytest.mark.parametrize(
    ("name", "expected"),
    [("auto", _GPUS), ("cpu", []), ("gpu", _GPUS), ("gpu:0", _GPUS[:1]), ("gpu:1", _GPUS[1:])],
)
def test_what_a_device_leaves_of_two_gpus(visible, name, expected):
    use_device(name)
    assert visible == expected


def test_on_the_processor_no_gpu_counts(visible):
    assert not on_processor()
    use_device("cpu")
    assert on_processor()
    assert device_name(2) == "processor, 2 cores"


def test_a_gpu_that_is_not_there_is_one_line(visible):
    with pytest.raises(ConfigError, match=r"^--device gpu:2: expected a GPU that TensorFlow sees, found 2 GPUs; "):
        use_device("gpu:2")
    assert visible == _GPUS


def test_too_late_a_choice_is_one_line(visible, monkeypatch):
    def refuse(devices, kind):
        raise RuntimeError("Visible devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", refuse)
    with pytest.raises(ConfigError, match=r"^--device cpu: expected before TensorFlow first computes"):
        use_device("cpu")


def test_a_server_has_a_device_of_its_own(visible):
    choose_device("auto", "http://localhost:8501")
    with pytest.raises(ConfigError, match=r"^--device cpu: a server computes on a device of its own"):
        choose_device("cpu", "http://localhost:8501")
    assert visible == _GPUS
