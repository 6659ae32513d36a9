"""A setting that changes nothing is told."""

from cli.unused_keys import tell_unused


def test_settings_that_no_chosen_method_reads_are_told(capsys):
    changes = ["segmentation.cycled_source=true", "segmentation.steps=3", "translation.generator.beta_1=0.5", "seed=1"]
    tell_unused(["source_only"], "demo", changes)
    line = capsys.readouterr().out
    assert line == ("Warning: segmentation.cycled_source, translation.generator.beta_1: not used by source_only\n")


def test_a_setting_that_one_of_several_methods_reads_is_not_told(capsys):
    tell_unused(["source_only", "attent"], "demo", ["segmentation.cycled_source=true"])
    assert capsys.readouterr().out == ""


def test_of_a_configuration_that_ships_nothing_is_told(capsys):
    tell_unused(["source_only"], "demo", [])
    assert capsys.readouterr().out == ""
