"""Methods are the rows of the paper's tables."""

import dataclasses

import pytest

from attent_tf.errors import ConfigError
from attent_tf.methods import (
    METHODS,
    SEGMENTOR,
    TO_SOURCE,
    TO_TARGET,
    UPPER_BOUND,
    Path,
    Slices,
    View,
    get_method,
    part_name,
    register,
    registry,
)


def test_attent_is_the_pixel_and_the_entropy_method_together():
    attent = get_method("attent")
    assert attent.stages[0] == get_method("pixel").stages[0]
    assert attent.stages[1].step == get_method("entropy").stages[0].step
    assert attent.stages[1].options == get_method("entropy").stages[0].options == (("on", "entropy"),)
    assert attent.deployment == (Path((TO_SOURCE, SEGMENTOR)),)


def test_only_the_upper_bound_sees_target_labels():
    seen = [m.id for m in METHODS.values() for s in m.stages for x in s.shown if x.labels and x.domain == "target"]
    assert seen == [m.id for m in METHODS.values() if m.role == UPPER_BOUND] == ["supervised"]


def test_the_lower_bound_neither_translates_nor_sees_the_target():
    lower = get_method("source_only")
    assert not lower.translates
    assert [slices.domain for stage in lower.stages for slices in stage.shown] == ["source"]


def test_parts_are_named_by_the_domains_that_they_act_on():
    assert part_name(TO_SOURCE, "mri", "ct") == part_name(TO_TARGET, "ct", "mri") == "ct_to_mri"
    assert part_name("judge_target", "mri", "ct") == part_name("judge_source", "ct", "mri") == "judge_ct"
    assert part_name("anything_else", "ct", "mri") == "anything_else"


def test_unknown_names_get_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'attent'"):
        get_method("atent")
    with pytest.raises(ConfigError, match="attent has no stage 'first'; it has translation, segmentation"):
        get_method("attent").stage("first")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"deployment": (Path(("to_source", "teacher")),)}, "deployment: no stage before it has the network 'teacher'"),
        ({"stages": get_method("attent").stages[1:]}, "segmentation: no stage before it has the network 'to_"),
        ({"stages": get_method("attent").stages * 2}, "stages that differ in name"),
    ],
)
def test_a_method_whose_parts_do_not_fit_together_cannot_be_made(changes, missing):
    with pytest.raises(ConfigError, match=missing):
        dataclasses.replace(get_method("attent"), **changes)


def test_another_method_is_added_once_and_no_other_takes_its_name(monkeypatch):
    monkeypatch.setattr(registry, "METHODS", dict(METHODS))
    mine = dataclasses.replace(get_method("source_only"), id="mine")
    assert register(mine) is register(mine) is registry.get_method("mine")
    with pytest.raises(ConfigError, match="'mine': there is another one of that name"):
        register(dataclasses.replace(mine, title="Other"))


def test_a_package_offers_methods_as_entry_points(monkeypatch):
    monkeypatch.setattr(registry, "METHODS", dict(METHODS))
    mine = dataclasses.replace(get_method("source_only"), id="mine")

    class Entry:
        def load(self):
            return mine

    def entry_points(group, name):
        assert group == "attent_tf.methods"
        return [Entry()] if name == "mine" else []

    monkeypatch.setattr(registry.importlib.metadata, "entry_points", entry_points)
    assert registry.get_method("mine") is mine
    with pytest.raises(ConfigError, match="unknown method 'yours'"):
        registry.get_method("yours")


def test_cycada_shares_its_translation_with_cyclegan_unless_labels_take_part():
    assert get_method("cycada").shareable_stage == get_method("cyclegan").shareable_stage
    assert get_method("cycada_semantic").shareable_stage is None
    assert get_method("synseg").shareable_stage is None


@pytest.mark.parametrize("method", ["synseg", "cycada", "cycada_semantic", "pnp_adanet"])
def test_peers_deploy_s_of_their_last_stage_on_the_target_as_it_is(method):
    method = get_method(method)
    assert method.deployment == (Path((SEGMENTOR,)),)
    assert method.stage_of(SEGMENTOR) == method.stages[-1]


def test_slices_pass_networks_in_the_order_of_the_stages():
    attent = get_method("attent")
    stage = attent.stage("segmentation")
    assert attent.passed_by(stage) == (TO_SOURCE, TO_TARGET)
    assert attent.passed_by(attent.stage("translation")) == ()
    assert stage.translated == Slices("target", views=(View((TO_SOURCE,)),))
    assert get_method("entropy").stage("segmentation").translated is None
