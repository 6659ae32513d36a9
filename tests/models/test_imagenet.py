"""ImageNet weights: our backbones give the features of `keras.applications`, and wrong files are refused."""

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from attent_tf.errors import ConfigError
from attent_tf.models import DeepLabV2, DilatedResNet, find_weights, load_imagenet

pytestmark = pytest.mark.slow


def _application(name):
    """A network of `keras.applications` whose every weight is random, statistics of the batch norms too."""
    model = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(None, None, 3))
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights(
                [rng.uniform(0.5, 1.0, shape), *rng.normal(0, 0.1, (2, *shape)), rng.uniform(0.5, 2, shape)]
            )
        elif layer.get_weights():
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(0, 0.1, bias.shape)])
    return model


def _save(model, path):
    """Writes weights in the format of the files that `keras.applications` fetches."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Function that gives a network by its name and a file of its weights, made once."""
    made = {}

    def saved(name):
        if name not in made:
            made[name] = _application(name), tmp_path_factory.mktemp(name) / f"{name.lower()}.h5"
            _save(*made[name])
        return made[name]

    return saved


@pytest.mark.parametrize(("backbone", "name"), [("resnet50", "ResNet50"), ("resnet101", "ResNet101")])
def test_features_equal_those_of_keras_where_nothing_is_dilated(saved, backbone, name):
    given, file = saved(name)
    resnet = DilatedResNet(backbone, imagenet_input=True)
    slices = np.random.default_rng(1).uniform(-1, 1, (2, 64, 96, 1)).astype(np.float32)
    resnet.build(slices.shape)
    load_imagenet(resnet, file)
    stages = resnet.stages(slices)
    # As Keras prepares a picture: grey as three equal colours, their order turned, a mean taken off each.
    colours = keras.applications.resnet.preprocess_input(np.repeat((slices + 1) * 127.5, 3, axis=-1).copy())
    last_blocks = {
        "resnet50": ("conv2_block3_out", "conv3_block4_out"),
        "resnet101": ("conv2_block3_out", "conv3_block4_out"),
    }
    reference = keras.Model(given.input, [given.get_layer(block).output for block in last_blocks[backbone]])
    for mine, theirs in zip(stages, reference(colours), strict=False):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4 * float(np.abs(theirs).max()))
    # The late stages keep the resolution that Keras halves twice.
    assert [tuple(stage.shape[1:3]) for stage in stages] == [(16, 24), (8, 12), (8, 12), (8, 12)]
    counts = [sum(int(np.prod(v.shape)) for v in model.variables) for model in (resnet, given)]
    assert counts[0] == counts[1]


def test_all_weights_arrive_in_the_segmentor(saved):
    given, file = saved("ResNet50")
    segmentor = DeepLabV2(5, "resnet50", imagenet_input=True)
    segmentor.build((None, None, None, 1))
    load_imagenet(segmentor.resnet, file)
    mine, theirs = (sorted(float(np.abs(v).sum()) for v in model.get_weights()) for model in (segmentor.resnet, given))
    np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_a_file_of_another_network_is_refused(saved, tmp_path):
    _, file = saved("ResNet101")
    resnet = DilatedResNet("resnet50", imagenet_input=True)
    resnet.build((None, None, None, 1))
    before = [v.copy() for v in resnet.get_weights()]
    with pytest.raises(ConfigError, match=r"resnet101\.h5: expected weights of ResNet50 without its top"):
        load_imagenet(resnet, file)
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(ConfigError, match=r"text\.h5: expected weights of ResNet50"):
        load_imagenet(resnet, tmp_path / "text.h5")
    for a, b in zip(before, resnet.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_are_looked_for_in_keras_cache_and_never_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"models/resnet50_weights_tf_dim_ordering_tf_kernels_notop\.h5, found none"):
        find_weights("imagenet", "resnet50")
    file = tmp_path / "models" / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    file.parent.mkdir()
    file.write_bytes(b"")
    assert find_weights("imagenet", "resnet50") == file
    assert find_weights(str(file), "resnet50") == file
    with pytest.raises(ConfigError, match="expected a weights file, found none"):
        find_weights(str(tmp_path / "absent.h5"), "resnet50")


def test_missing_weights_are_told_before_any_stage_is_trained(small_records, tmp_path, monkeypatch):
    from attent_tf.configs import load_config
    from attent_tf.training.train import train
    from tests.support.small_runs import TINY, SilentObserver

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    config = load_config("demo", [*TINY, "segmentation.backbone=resnet50", "segmentation.weights=imagenet"])
    with pytest.raises(ConfigError, match="found none; let keras"):
        train(small_records, tmp_path / "run", "attent", "mri2ct", config, SilentObserver())
    assert not (tmp_path / "run").exists()
