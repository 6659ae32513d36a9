import dataclasses

import pytest

from attent_tf.configs import Config, uses
from attent_tf.configs.usage import STAGE_SECTIONS
from attent_tf.methods import METHODS, get_method

# These are read whatever the method.
_OF_ALL = {"data", "postprocessing"}
SECTIONS = [field.name for field in dataclasses.fields(Config) if dataclasses.is_dataclass(field.type)]


def test_keys_that_no_stage_reads_are_known():
    lower, attent = get_method("source_only"), get_method("attent")
    assert uses(lower, "segmentation.dice_weight")
    assert uses(lower, "seed")
    assert uses(lower, "data.zoom_min")
    assert not uses(lower, "segmentation.cycled_source")
    assert not uses(lower, "segmentation.discriminator.learning_rate")
    assert not uses(lower, "translation.steps")
    assert uses(attent, "translation.gate_gain")
    assert uses(attent, "segmentation.discriminator.learning_rate")
    assert not uses(get_method("cyclegan"), "translation.gate_gain")
    assert [name for name in ("attent", "attent_both", "attent_st") if uses(get_method(name), "paths")] == [
        "attent_both",
        "attent_st",
    ]


def test_a_stage_may_read_keys_of_other_sections():
    synseg, cycada, pnp = get_method("synseg"), get_method("cycada"), get_method("pnp_adanet")
    assert uses(synseg, "translation.generator.learning_rate")
    assert uses(synseg, "segmentation.rates")
    assert not uses(synseg, "translation.batch_size")
    assert not uses(synseg, "segmentation.segmentor.learning_rate")
    assert not uses(synseg, "cycada.steps")
    assert uses(cycada, "cycada.gate_accuracy")
    assert not uses(cycada, "cycada.semantic_weight")
    assert uses(get_method("cycada_semantic"), "cycada.classifier.learning_rate")
    assert uses(pnp, "pnp_adanet.clip")
    assert not uses(pnp, "translation.filters")


@pytest.mark.parametrize(
    ("method", "augmented"),
    [
        ("source_only", ["segmentation"]),
        ("supervised", ["segmentation"]),
        ("attent", ["segmentation"]),
        ("pnp_adanet", ["segmentation"]),
        ("cycada_semantic", ["segmentation", "adaptation"]),
        ("source_st", ["segmentation", "self_training"]),
        # What translators are shown as well, or alone, stays as it is.
        ("synseg", []),
        ("sifa_v2", []),
    ],
)
def test_stages_whose_labelled_slices_s_alone_is_shown_are_augmented(method, augmented):
    key = "segmentation.augmentation.intensity"
    assert [stage.id for stage in get_method(method).stages if stage.uses(key)] == augmented
    assert uses(get_method(method), key) == bool(augmented)


def test_every_other_section_is_that_of_some_stage():
    assert set(SECTIONS) - _OF_ALL == STAGE_SECTIONS == {s.section for m in METHODS.values() for s in m.stages}


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_reads_the_steps_of_its_own_stages_alone(method, section):
    if section not in _OF_ALL:
        assert uses(method, f"{section}.steps") == (section in {stage.section for stage in method.stages})
