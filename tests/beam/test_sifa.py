"""SIFA's own data from its files to records and scores."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records, read_records
from attent_tf.data.verify import verify
from cli.main import main
from tests.support.sifa_files import drawn_slices, write_domain, write_slice

_CLASSES = np.array([0, 4, 2, 3, 1])


def _attent(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def _preprocess(data, *words):
    return _attent("preprocess", "--task", "cardiac", *words, "--mri", data, "--ct", data)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("sifa")
    write_domain(root, "mr", slices=3, volumes=0)
    write_domain(root, "ct", slices=2, volumes=1, seed=50)
    return root


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "records"
    done = _preprocess(data, "--geometry", "resize", "--neighbours", "1", "--shards", "2", "--out", out)
    assert done.exit_code == 0, done.output
    return out, done.output


def test_manifest_and_summary_say_that_slices_have_no_volume(made):
    out, told = made
    manifest = verify(out)
    entries = {case.case: case for case in manifest.cases}
    assert {
        name: (entry.split, entry.slices, entry.slice_count, entry.geometry.space) for name, entry in entries.items()
    } == {
        **{f"sifa-mri-slice{number}": ("train", 1, 3, "slice") for number in range(3)},
        **{f"sifa-ct-slice{number}": ("train", 1, 3, "slice") for number in range(2)},
        "sifa-ct-1003": ("test", 3, 3, "array"),
    }
    assert {entry.patient for name, entry in entries.items() if "slice" in name} == {
        "sifa-ct-unknown",
        "sifa-mri-unknown",
    }
    content = json.loads((out / "manifest.json").read_text())
    assert {case["geometry"]["space"] for case in content["cases"]} == {"slice", "array"}
    assert "Cases of one slice from an unknown scan, which are for training and are not scored: 5." in told
    assert "The size of their voxels is not known: lengths count voxels, and anatomy was not checked." in told
    assert "Hounsfield" not in told
    assert not (out / "warnings.jsonl").exists()


def test_records_are_what_sifas_network_is_shown(made):
    out, _ = made
    manifest = read_manifest(out)
    records = list(read_records(out, manifest, "mri", "train"))
    assert [(record.case, record.slice_index) for record in records] == [
        (f"sifa-mri-slice{number}", 1) for number in range(3)
    ]
    for number, record in enumerate(records):
        voxels, labels = drawn_slices(3, number)
        # Its channels are the file's three slices.
        np.testing.assert_allclose(record.image, 2 * (voxels + 1.8) / 6.2 - 1, atol=1e-6)
        np.testing.assert_array_equal(record.label, _CLASSES[labels[..., 1].astype(int)])
    voxels, labels = drawn_slices(3, 150)
    for index, record in enumerate(read_case_records(out, manifest, "sifa-ct-1003")):
        np.testing.assert_allclose(record.image[..., 1], 2 * (voxels[..., index] + 2.8) / 6 - 1, atol=1e-6)
        np.testing.assert_array_equal(record.label, _CLASSES[labels[..., index].astype(int)])


def test_info_gives_no_millimetres(made):
    out, _ = made
    told = _attent("info", "--records", out, "--cases")
    assert told.exit_code == 0, told.output
    assert told.output.count("size of voxels   not known") == 2
    found = json.loads(_attent("info", "--records", out, "--json").output)
    assert found["domains"]["ct"]["spacing_mm"] == {"slice": None, "row": None, "column": None}
    assert {case["organs_ml"] for case in found["cases"]} == {None}
    # 24 · 24 pixels in each of 2 · 1 + 3 slices.
    aorta = found["domains"]["ct"]["organs"]["ascending_aorta"]
    assert aorta == {"cases": 3, "slices": 5, "pixel_share": 24 * 24 / 256**2, "volume_ml": None}


@pytest.mark.slow
def test_scores_are_of_volumes_and_say_that_distances_count_voxels(made, data, tmp_path):
    from attent_tf.tasks import load_task
    from attent_tf.volumes import PrepareOptions
    from tests.support.untrained_runs import write_untrained_run

    out, _ = made
    options = PrepareOptions.from_json(read_manifest(out).options["preparation"])
    write_untrained_run(tmp_path / "run", "source_only", options=options, task=load_task("cardiac"))
    words = ("--run", tmp_path / "run", "--records", out)
    for protocol in ((), ("--protocol", "native_3d", "--scans", data)):
        done = _attent("evaluate", *words, "--out", tmp_path / f"scores{len(protocol)}", *protocol)
        assert done.exit_code == 0, done.output
        content = json.loads((tmp_path / f"scores{len(protocol)}" / "metrics.json").read_text())
        (case,) = content["cases"]
        assert (case["case"], case["spacing_mm"], case["slices"]) == ("sifa-ct-1003", [1.0, 1.0, 1.0], 3)
        assert case["volume_ml"]["left_atrium"]["reference"] == pytest.approx(24 * 24 * 3 / 1000)
        told = " ".join(content["warnings"])
        assert "distances count voxels, not millimetres" in told
        assert "Training slices of the target name no patient" in told


def test_a_damaged_slice_is_told_and_set_aside(tmp_path):
    write_domain(tmp_path / "data", "ct", slices=2, volumes=0)
    broken = tmp_path / "data" / "ct_train_tfs" / "ct_train_slice1.tfrecords"
    content = bytearray(broken.read_bytes())
    content[5000] ^= 1
    broken.write_bytes(content)
    voxels, labels = drawn_slices(3, 5)
    write_slice(broken.with_name("ct_train_slice2.tfrecords"), voxels, labels + 1)
    broken.with_name("ct_train_slice3.tfrecords").write_bytes(content[:7])
    words = ("preprocess", "--task", "cardiac", "--ct", tmp_path / "data", "--geometry", "resize")
    told = _attent(*words, "--check")
    assert told.exit_code == 1
    assert "3 problems in 3 of 4 cases" in told.output
    for line in ("whose checksum does not match", "labels 0..4", "found     7 bytes"):
        assert line in told.output
    out = tmp_path / "records"
    done = _attent(*words, "--on-error", "skip", "--out", out)
    assert done.exit_code == 0, done.output
    assert [case.case for case in verify(out).cases] == ["sifa-ct-slice0"]
    rejected = [json.loads(line)["case"] for line in (out / "rejected.jsonl").read_text().splitlines()]
    assert rejected == [f"sifa-ct-slice{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "--geometry: expected resize, because the files of sifa-ct do not say how large their voxels are"),
        (("--geometry", "resize", "--split", "ratio"), "nobody knows the patients of ct slices; use --split sifa"),
        (("--geometry", "resize", "--slices", "organs"), "expected whole scans, for --slices organs, found one slice"),
        (("--geometry", "resize", "--slice-mm", "2"), "--slice-mm: expected none"),
    ],
)
def test_options_that_do_not_fit_are_one_line(data, tmp_path, words, line):
    done = _preprocess(data, *words, "--out", tmp_path / "records")
    assert done.exit_code != 0
    assert line in done.output
    assert not (tmp_path / "records").exists()
