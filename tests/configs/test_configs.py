"""Configurations: read, changed, refused."""

import contextlib
import dataclasses

import pytest

from attent_tf.configs import (
    Config,
    config_from_dict,
    config_to_dict,
    config_to_yaml,
    given_keys,
    load_config,
    shipped_configs,
)
from attent_tf.errors import ConfigError
from attent_tf.yaml_text import parse_yaml


@pytest.mark.parametrize("name", shipped_configs())
def test_shipped_configurations_load_and_come_back(name, tmp_path):
    config = load_config(name)
    assert config.name == name
    assert config_from_dict(config_to_dict(config)) == config
    path = tmp_path / "copy.yaml"
    path.write_text(config_to_yaml(config))
    assert load_config(str(path)) == config


def test_four_configurations_for_all_methods_ship_and_others_for_one():
    for_all = [name for name in shipped_configs() if "-" not in name]
    assert for_all == ["demo", "paper", "recommended", "released"]
    assert all(name.startswith("released-") for name in set(shipped_configs()) - set(for_all))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("synseg.class_weights=[1, 1, 1, 1, -1]", ["synseg.class_weights", "at least 0"]),
        ("cycada.gate_accuracy=1", ["cycada.gate_accuracy", "below 1"]),
        ("cycada.discriminator_dropout=1", ["cycada.discriminator_dropout", "below 1"]),
        ("pnp_adanet.critic_steps=0", ["pnp_adanet.critic_steps", "at least 1"]),
    ],
)
def test_wrong_values_of_peers_are_refused(override, words):
    with pytest.raises(ConfigError) as caught:
        load_config("demo", [override])
    assert all(word in str(caught.value) for word in words)


def test_overrides_change_one_key_and_nothing_else():
    config = load_config("demo", ["translation.generator.learning_rate=1e-3", "segmentation.rates=[2, 4]"])
    expected = load_config("demo")
    expected = dataclasses.replace(
        expected,
        translation=dataclasses.replace(
            expected.translation, generator=dataclasses.replace(expected.translation.generator, learning_rate=1e-3)
        ),
        segmentation=dataclasses.replace(expected.segmentation, rates=(2, 4)),
    )
    assert config == expected


def test_a_partial_section_keeps_the_defaults_of_its_place(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("translation: {generator: {learning_rate: 0.5}}\n")
    config = load_config(str(path))
    assert config.translation.generator.learning_rate == 0.5
    assert config.translation.generator.beta_1 == Config().translation.generator.beta_1 == 0.5


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("translation.stepz=3", ["translation.stepz", "translation.steps"]),
        ("translaton.steps=3", ["translaton", "translation"]),
        ("translation.generator.lr=1", ["lr", "learning_rate"]),
        ("translation=3", ["translation", "expected keys such as steps, epochs", "3"]),
        ("translation.steps=many", ["translation.steps", "whole number", "many"]),
        ("translation.steps=true", ["translation.steps", "whole number", "True"]),
        ("segmentation.rates=6", ["segmentation.rates", "list"]),
        ("segmentation.backbone=vgg", ["segmentation.backbone", "resnet101", "vgg"]),
        ("segmentation.segmentor.learning_rate=-1", ["learning_rate", "above 0"]),
        ("data.image_size=100", ["data.image_size", "128", "100"]),
        ("data.zoom_min=2", ["data.zoom_min", "zoom_max"]),
        ("log_every=0", ["log_every", "at least 1"]),
        ("translation.filters=0", ["translation.filters", "at least 1"]),
        ("segmentation.head_rate_factor=0", ["segmentation.head_rate_factor", "above 0"]),
        ("segmentation.rates=[6, 0]", ["segmentation.rates", "at least 1", "(6, 0)"]),
        ("self_training.teacher_decay=1", ["self_training.teacher_decay", "below 1", "1.0"]),
        ("self_training.labels.gamma=0", ["self_training.labels.gamma", "above 0", "0.0"]),
        ("self_training.labels.least_share=4", ["self_training.labels.least_share", "largest_share", "4.0"]),
        ("self_training.labels.every=0", ["self_training.labels.every", "at least 1", "0"]),
        ("segmentation.augmentation.intensity=mono", ["segmentation.augmentation.intensity", "monotone", "'mono'"]),
        ("segmentation.augmentation.intensity_share=1.5", ["intensity_share", "0 to 1", "1.5"]),
        ("segmentation.augmentation.intensity_scale=1", ["intensity_scale", "below 1", "1.0"]),
        ("segmentation.augmentation.rotation=200", ["segmentation.augmentation.rotation", "180 degrees", "200"]),
        ("segmentation.augmentation.zoom=2", ["segmentation.augmentation.zoom", "below 1", "2.0"]),
        (
            "segmentation.augmentation.rotate=5",
            ["segmentation.augmentation.rotate", "segmentation.augmentation.rotation"],
        ),
        ("seed=2026-13-45", ["--set seed", "not valid YAML"]),
        ("steps", ["key=value"]),
    ],
)
def test_wrong_values_get_one_line_that_helps(override, words):
    with pytest.raises(ConfigError) as caught:
        load_config("demo", [override])
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("value", "kinds"), [("-1", (int, float)), (".nan", (int, float)), (".inf", (int, float)), ("99999999999", (int,))]
)
def test_no_number_may_be_negative_or_endless_and_no_whole_one_beyond_32_bits(value, kinds):
    accepted = []
    for key in _numbers(config_to_dict(Config()), kinds):
        content = parse_yaml(value, key)
        for name in reversed(key.split(".")):
            content = {name: content}
        with contextlib.suppress(ConfigError):
            config_from_dict(content)
            accepted.append(key)
    assert not accepted


def _numbers(part, kinds, prefix=""):
    for name, value in part.items():
        if isinstance(value, dict):
            yield from _numbers(value, kinds, f"{prefix}{name}.")
        elif isinstance(value, kinds) and not isinstance(value, bool):
            yield f"{prefix}{name}"


def test_a_file_without_a_name_is_called_as_the_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 3\n")
    assert load_config(str(path)).name == "mine"
    path.write_text("name: other\n")
    assert load_config(str(path)).name == "other"


def test_the_keys_that_a_user_gave_are_known(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 3\ntranslation:\n  steps: 4\n  generator: {beta_1: 0.5}\n")
    assert given_keys(str(path), ["translation.steps=5", "jit=true"]) == [
        "seed",
        "translation.steps",
        "translation.generator.beta_1",
        "jit",
    ]
    assert given_keys("demo", ["seed=1"]) == ["seed"]


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ConfigError, match="recommended"):
        load_config("recommend")


def test_broken_yaml_is_one_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("translation: [1, 2\n  steps: }")
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    assert "\n" not in str(caught.value)
    assert "broken.yaml" in str(caught.value)


def test_yaml_cannot_make_objects(tmp_path):
    path = tmp_path / "evil.yaml"
    path.write_text("name: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(ConfigError):
        load_config(str(path))


def test_paper_holds_the_papers_numbers():
    config = load_config("paper")
    # Section IV-A.3.
    assert config.translation.steps == 10_000
    assert config.translation.batch_size == 1
    assert config.translation.adversarial == "log_likelihood"
    assert config.translation.generator.learning_rate == 1e-3
    assert config.translation.identity_weight == 0
    assert config.segmentation.epochs == 20
    assert config.segmentation.batch_size == 8
    assert config.segmentation.segmentor.learning_rate == 1e-4
    assert config.segmentation.entropy_channels == "sum"


def test_released_holds_the_released_codes_numbers():
    config = load_config("released")
    assert config.translation.adversarial == "least_squares"
    assert (config.translation.cycle_weight, config.translation.identity_weight) == (10.0, 5.0)
    assert config.translation.epochs == 200
    assert config.translation.generator.decay_from == 0.5
    assert config.translation.gate_gain == 2.0
    assert config.segmentation.segmentor.learning_rate == 1e-5
    assert config.segmentation.entropy_channels == "class"
    assert (config.segmentation.aligner_main_weight, config.segmentation.aligner_aux_weight) == (0.001, 0.0002)
