"""A setting that changes nothing is told."""

from attent_tf.api.training import tell_unused


def test_settings_that_no_chosen_method_reads_are_told():
    changes = ["segmentation.cycled_source=true", "segmentation.steps=3", "translation.generator.beta_1=0.5", "seed=1"]
    said = []
    tell_unused(["source_only"], "demo", changes, said.append)
    assert said == ["Warning: segmentation.cycled_source, translation.generator.beta_1: not used by source_only"]


def test_a_setting_that_one_of_several_methods_reads_is_not_told():
    said = []
    tell_unused(["source_only", "attent"], "demo", ["segmentation.cycled_source=true"], said.append)
    assert said == []


def test_of_a_configuration_that_ships_nothing_is_told():
    said = []
    tell_unused(["source_only"], "demo", [], said.append)
    assert said == []
