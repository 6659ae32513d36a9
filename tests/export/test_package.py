"""A package: the same answers as its run, the same bytes each time, nothing of the data in it, and every fault told in a line."""

import dataclasses
import hashlib
import io
import json
import re
import shutil
import types
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.cohort.results import model_identity, read_model
from attent_tf.configs import config_to_dict, load_config
from attent_tf.errors import AttentError, ConfigError, InputError, RunError
from attent_tf.files import json_bytes, write_json
from attent_tf.runs import load_run
from attent_tf.runs.package import CARD_FILE, CHECKSUMS_FILE, CONTENT_FILE, MEMBERS, WEIGHTS_FILE, read_package
from cli.main import main
from tests.support.small_runs import TINY
from tests.support.untrained_runs import write_untrained_run


@pytest.fixture(scope="module")
def packed(run, tmp_path_factory):
    from attent_tf.export.package import write_package

    return write_package(run, tmp_path_factory.mktemp("packed") / "model.attent").path


def _members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _written(path, members, names=None, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names or members:
            archive.writestr(name, members[name])
    return path


def _resealed(members, **changes):
    """Members with others in their place, whose checksums fit again: what somebody makes who knows the format."""
    members = {**members, **changes}
    listed = json.loads(members[CHECKSUMS_FILE])
    listed["sha256"] = {name: hashlib.sha256(members[name]).hexdigest() for name in listed["sha256"]}
    return {**members, CHECKSUMS_FILE: json_bytes(listed)}


def _answers(run):
    from attent_tf.inference.chain import load_chain

    options = run.prepare_options
    images = np.random.default_rng(1).uniform(-1, 1, (2, options.size, options.size, options.channels))
    return load_chain(run)(images.astype(np.float32))


def _refusal(path):
    with pytest.raises(AttentError) as refused:
        load_run(path)
    message = str(refused.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.slow
def test_a_package_answers_as_its_run_does(run, packed):
    again = load_run(packed)
    assert dataclasses.replace(again, folder=run.folder, package=None) == run
    for found, expected in zip(_answers(again), _answers(run), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["source_only", "attent_both", "sifa_v2", "pnp_adanet", "attent_st"])
def test_every_kind_of_network_comes_back(method, tmp_path):
    from attent_tf.export.package import write_package

    settings = ("segmentation.backbone=pnp_adanet",) if method == "pnp_adanet" else ()
    run = write_untrained_run(tmp_path / "run", method, settings=settings)
    again = load_run(write_package(run, tmp_path / "model.attent").path)
    for found, expected in zip(_answers(again), _answers(run), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(run, packed, tmp_path):
    from attent_tf.export.package import write_package

    shutil.copytree(run.folder, tmp_path / "elsewhere")
    again = write_package(load_run(tmp_path / "elsewhere"), tmp_path / "other.attent")
    assert again.path.read_bytes() == packed.read_bytes()
    assert again.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()


def test_nothing_of_the_place_or_the_data_is_in_it(run, tmp_path, monkeypatch):
    """What a run folder and its evaluation know of places and cases is marked, and looked for in the file."""
    from attent_tf.export import package
    from attent_tf.runs.package import Package

    folder = tmp_path / "home-of-jane"
    shutil.copytree(run.folder, folder)
    content = json.loads((folder / "run.json").read_text())
    content["config"]["segmentation"]["weights"] = str(tmp_path / "secret" / "resnet50.h5")
    content["config"]["segmentation"]["backbone"] = "resnet50"
    content |= {"devices": ["host-of-jane"], "user": "jane"}
    marked = dataclasses.replace(run, folder=folder, config=_config(content["config"]))
    evaluation = folder / "evaluation"
    warnings = ["case-of-jane: the scan has gaps", "Cases without labels are shown and not scored."]
    scores = _Scores({"protocol": "volume_3d", "warnings": warnings})
    monkeypatch.setattr(package, "scores_of", lambda *_: scores)
    monkeypatch.setattr(package, "load_chain", lambda _: None)
    monkeypatch.setattr(package, "weights_sha256", lambda _: "0" * 64)
    monkeypatch.setattr(package, "_weights", lambda _: b"")
    written = package.write_package(marked, tmp_path / "model.attent", evaluation)
    assert isinstance(written, Package)
    text = written.path.read_bytes()
    for secret in (b"jane", b"secret", str(tmp_path).encode(), b"host-of"):
        assert secret not in text
    assert written.content["config"]["segmentation"]["weights"] == "imagenet"
    assert "Cases without labels" in written.card
    assert "| Liver | " in written.card


def _config(content):
    from attent_tf.configs import config_from_dict

    return config_from_dict(content)


@dataclasses.dataclass(frozen=True)
class _Scores:
    """As much of an evaluation as a card says."""

    header: dict
    cases: tuple = (types.SimpleNamespace(case="case-of-jane", labelled=True),)

    @property
    def structures(self):
        from tests.support.abdomen import ORGANS

        return {organ: {metric: {"mean": value} for metric, value in self.average.items()} for organ in ORGANS}

    @property
    def average(self):
        from attent_tf.metrics.scores import METRICS

        return dict.fromkeys(METRICS, 0.81) | {"dice": 0.81}


def test_what_was_changed_is_refused(packed, tmp_path):
    whole = packed.read_bytes()
    members = _members(packed)
    content = json.loads(members[CONTENT_FILE])
    other = json_bytes({**content, "direction": "ct2mri"})
    path = tmp_path / "changed.attent"
    assert "package.json as checksums.json says" in _refusal(_written(path, {**members, CONTENT_FILE: other}))
    assert "was changed or damaged" in _refusal(_written(path, {**members, CARD_FILE: b"# Cured"}))
    at = whole.index(members[WEIGHTS_FILE]) + len(members[WEIGHTS_FILE]) // 2
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert "weights.safetensors" in _refusal(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_what_was_cut_short_is_refused(packed, tmp_path, share):
    path = tmp_path / "cut.attent"
    whole = packed.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "expected a package" in _refusal(path)


def test_a_later_format_says_what_to_install(packed, tmp_path):
    members = _members(packed)
    listed = {**json.loads(members[CHECKSUMS_FILE]), "format": 2, "library": "9.9.0"}
    path = _written(tmp_path / "later.attent", {**members, CHECKSUMS_FILE: json_bytes(listed)})
    assert re.search("expected a package of format 1, found format 2; .* attent-tf 9.9.0", _refusal(path))


def test_members_that_reach_out_or_grow_are_refused(packed, tmp_path):
    members = _members(packed)
    path = tmp_path / "odd.attent"
    assert "'../../outside'" in _refusal(_written(path, {**members, "../../outside": b"x"}))
    assert "stored as it is" in _refusal(_written(path, members, method=zipfile.ZIP_DEFLATED))
    large = _resealed(members, **{CARD_FILE: b" " * (1 << 24) + b" "})
    assert "stored as it is" in _refusal(_written(path, large))
    assert "found the members" in _refusal(_written(path, members, MEMBERS[:-1])).replace(
        "found '", "found the members '"
    )
    with pytest.warns(UserWarning, match="Duplicate name"):
        _written(path, members, [*MEMBERS, CARD_FILE])
    assert "expected the members" in _refusal(path)
    assert "checksums.json" in _refusal(_written(path, {"readme": b"x"}))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["odd.attent"]


def test_pickles_and_other_arrays_are_refused(packed, tmp_path):
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], object), allow_pickle=True)
    path = _written(tmp_path / "pickle.attent", _resealed(_members(packed), **{WEIGHTS_FILE: pickled.getvalue()}))
    with pytest.raises(InputError, match=r"expected safetensors in weights\.safetensors"):
        read_package(path).weights()


@pytest.mark.slow
def test_weights_of_another_architecture_are_refused(packed, tmp_path):
    from attent_tf.inference.chain import load_chain

    members = _members(packed)
    content = json.loads(members[CONTENT_FILE])
    content["config"]["translation"]["filters"] = 8
    path = _written(tmp_path / "other.attent", _resealed(members, **{CONTENT_FILE: json_bytes(content)}))
    with pytest.raises(
        RunError, match=r"weights of another architecture: expected float32 \[3, 3, 32, 32\] as to_source/"
    ) as refused:
        load_chain(load_run(path))
    assert "\n" not in str(refused.value)


def test_models_that_this_version_does_not_know_are_refused(packed, tmp_path):
    members = _members(packed)
    content = json.loads(members[CONTENT_FILE])
    for change in (
        {"method": "later"},
        {"direction": "ct2pet"},
        {"config": {"nothing": 1}},
        {"stages": {}},
        {"task": 3},
    ):
        changed = _resealed(members, **{CONTENT_FILE: json_bytes({**content, **change})})
        _refusal(_written(tmp_path / "unknown.attent", changed))


@pytest.mark.slow
def test_a_cohort_takes_it_as_it_takes_the_exported_model(run, packed, exported):
    assert model_identity(read_model(packed)) == model_identity(read_model(exported))


@pytest.mark.slow
def test_the_command_writes_shows_and_refuses(run, packed, tmp_path):
    def invoke(*words):
        return CliRunner().invoke(main, [str(word) for word in words])

    made = invoke("package", "--run", run.folder, "--out", tmp_path / "a.attent")
    assert made.exit_code == 0, made.output
    assert (tmp_path / "a.attent").read_bytes() == packed.read_bytes()
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    assert digest in made.output
    shown = invoke("info", packed)
    assert shown.exit_code == 0
    assert shown.output.startswith("# ")
    assert digest in shown.output
    assert json.loads(invoke("info", packed, "--json").output)["method"] == "attent"
    assert "NAME.attent" in invoke("package", "--run", run.folder, "--out", tmp_path / "a.zip").output
    assert "found a package" in invoke("package", "--run", packed, "--out", tmp_path / "b.attent").output
    folder = invoke("segment", "--model", tmp_path, "--input", packed, "--out", tmp_path / "c.nii.gz")
    assert "expected a package" in folder.output


class TestFineTuning:
    """`segmentation.weights` names a package."""

    def _config(self, *settings):
        return load_config("demo", [*TINY, *settings])

    @pytest.mark.slow
    def test_s_begins_with_the_weights_of_the_package(self, packed):
        import tensorflow as tf

        from attent_tf.methods import SEGMENTOR
        from attent_tf.runs.configured import segmentor
        from attent_tf.runs.networks import load_parts
        from attent_tf.training.first_weights import begin_segmentor

        config = self._config(f"segmentation.weights={packed}")
        network = segmentor(config, 5, 1, "segmentor")
        network(tf.zeros((1, 32, 32, 1)))
        begin_segmentor(network, config)
        (given,) = load_parts(load_run(packed), SEGMENTOR)
        for mine, theirs in zip(network.variables, given.variables, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())

    @pytest.mark.parametrize(
        ("settings", "channels", "message"),
        [
            ((), 3, "expected channels 3, found 1"),
            (("data.image_size=64",), 1, "expected data.image_size 64, found 32"),
            (("segmentation.rates=[1, 3]",), 1, r"expected segmentation.rates \[1, 3\], found \[1, 2\]"),
            (("segmentation.backbone=resnet50",), 1, "expected segmentation.backbone resnet50, found small"),
        ],
    )
    def test_what_does_not_fit_is_told_before_training(self, run, packed, settings, channels, message):
        from attent_tf.training.first_weights import check_first_weights

        config = self._config(f"segmentation.weights={packed}", *settings)
        with pytest.raises(ConfigError, match=message) as refused:
            check_first_weights(config, run.task, channels)
        assert "\n" not in str(refused.value)

    def test_other_structures_inputs_and_folders_are_told(self, run, packed):
        from attent_tf.training.first_weights import check_first_weights

        config = self._config(f"segmentation.weights={packed}")
        check_first_weights(config, run.task, 1)
        fewer = dataclasses.replace(run.task, structures=run.task.structures[:3], anatomy=())
        with pytest.raises(ConfigError, match="expected the structures liver, right_kidney, left_kidney, found liver"):
            check_first_weights(config, fewer, 1)
        with pytest.raises(ConfigError, match=f"write segmentation.weights={re.escape(str(packed))}$"):
            check_first_weights(self._config(f"segmentation.weights=imagenet:{packed}"), run.task, 1)
        with pytest.raises(InputError, match="no such"):
            check_first_weights(self._config("segmentation.weights=nowhere.attent"), run.task, 1)


def test_a_configuration_keeps_its_package_by_name(tmp_path):
    config = load_config("demo", ["segmentation.weights=imagenet:a.attent", "segmentation.backbone=resnet50"])
    write_json(tmp_path / "config.json", config_to_dict(config))
    assert _config(json.loads((tmp_path / "config.json").read_text())) == config
