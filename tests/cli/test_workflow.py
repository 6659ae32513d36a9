"""The commands as a user runs them, one after the other, on small scans; and what wrong input gets."""

import csv
import json
import shutil

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner
from scipy import ndimage

from attent_tf.metrics.overlap import dice
from attent_tf.metrics.scores import METRICS
from attent_tf.metrics.surface import assd
from cli.main import main
from tests.support.same_answers import assert_same_answers
from tests.support.small_runs import TINY

pytestmark = [pytest.mark.slow, pytest.mark.eager]


def _attent(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def _succeed(*words):
    result = _attent(*words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def _fail(*words):
    """Runs a command that must end with one line and an exit code that is not 0, and returns the line."""
    result = _attent(*words)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert "Traceback" not in result.output
    return errors[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("workflow")


@pytest.fixture(scope="module")
def records(place, small_data):
    shutil.copytree(small_data, place, dirs_exist_ok=True)
    return place / "records"


def _train_words(records, out, method="attent", direction="mri2ct"):
    settings = [word for setting in TINY for word in ("--set", setting)]
    names = ("--records", records, "--out", out, "--direction", direction, "--method", method, "--config", "demo")
    return ("train", *names, *settings)


@pytest.fixture(scope="module")
def staged(place, records):
    """A run that was trained stage by stage, what was said of the second one before the first, and its folders after that."""
    out = place / "run"
    refused = _fail(*_train_words(records, out), "--stage", "segmentation")
    _succeed(*_train_words(records, out), "--stage", "translation")
    begun = [path.name for path in out.iterdir() if path.is_dir()]
    _succeed(*_train_words(records, out), "--stage", "segmentation")
    return out, refused, begun


@pytest.fixture(scope="module")
def run(staged):
    return staged[0]


@pytest.fixture(scope="module")
def scores(run, records, place):
    """The folder of its evaluation, and what was said."""
    return place / "scores", _succeed("evaluate", "--run", run, "--records", records, "--out", place / "scores")


@pytest.fixture(scope="module")
def lower_bound(place, records):
    _succeed(*_train_words(records, place / "lower", "source_only"))
    return place / "lower"


@pytest.fixture(scope="module")
def ct(place):
    return place / "malbcv" / "RawData" / "Training" / "img" / "img0002.nii.gz"


def test_a_run_folder_says_what_it_is_and_how_it_went(run):
    content = json.loads((run / "run.json").read_text())
    assert (content["method"], content["direction"], content["seed"]) == ("attent", "mri2ct", 0)
    for stage in ("translation", "segmentation"):
        with (run / stage / "history.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [row["step"] for row in rows] == ["2", "4", "6"] or [row["step"] for row in rows] == ["2", "3", "4", "6"]
        assert all(np.isfinite(float(value)) for row in rows for value in row.values())
        assert list((run / stage / "events").iterdir())


def test_a_complete_run_is_left_as_it_is(run, records):
    before = {path: path.stat().st_mtime_ns for path in (run / "segmentation" / "checkpoints").iterdir()}
    assert "complete" in _succeed(*_train_words(records, run))
    assert before == {path: path.stat().st_mtime_ns for path in (run / "segmentation" / "checkpoints").iterdir()}


def test_fresh_refuses_a_run_with_a_checkpoint(run, records):
    assert "--fresh" in _fail(*_train_words(records, run), "--fresh")


def test_another_configuration_is_refused_with_the_difference(run, records):
    message = _fail(*_train_words(records, run), "--set", "segmentation.batch_size=2")
    assert "segmentation.batch_size was 4, is 2" in message


def test_stages_can_be_trained_one_by_one(staged, place, records):
    _, refused, begun = staged
    assert "has not begun" in refused
    assert "translation" in begun
    assert "segmentation" not in begun
    assert "no stage 'translation'" in _fail(
        *_train_words(records, place / "none", "source_only"), "--stage", "translation"
    )


def test_evaluate_writes_scores_and_report(run, records, scores):
    out, output = scores
    assert "Report:" in output
    metrics = json.loads((out / "metrics.json").read_text())
    assert {"method", "direction", "protocol", "seed", "cases", "organs", "average"} <= metrics.keys()
    assert [case["case"] for case in metrics["cases"]] == ["malbcv-0001"]
    assert tuple(metrics["cases"][0]["liver"]) == METRICS
    assert metrics["postprocessing"] == {"largest_component": False, "fill_holes": False}
    # The protocol stands in words beside the numbers.
    assert metrics["protocol_text"] in " ".join(output.split())
    html = (out / "report" / "index.html").read_text()
    assert "AttENT" in html
    # That it is replaced on request, by the same bytes, is seen on the grid of the scan.
    assert "empty" in _fail("evaluate", "--run", run, "--records", records, "--out", out)


def test_check_says_without_labels_what_evaluate_keeps(run, records, scores, place):
    output = _succeed("check", "--run", run, "--records", records, "--split", "test", "--out", place / "signs.json")
    assert "Agreement around the cycle" in output
    found = json.loads((place / "signs.json").read_text())
    kept = json.loads((scores[0] / "metrics.json").read_text())["signs"]
    assert kept == {key: found[key] for key in kept}
    assert kept["cases"] == ["malbcv-0001"]
    assert "no such file" in _fail("check", "--run", run, "--records", records, "--calibration", place / "none.json")


def test_evaluate_on_the_grid_of_the_scan_scores_what_segment_writes(run, records, ct, place):
    """The same networks, brought back by another command and scored by hand against the labels on disk."""
    out, malbcv = place / "native", place / "malbcv"
    words = ("evaluate", "--run", run, "--records", records, "--protocol", "native_3d", "--scans", malbcv)
    output = _succeed(*words, "--out", out)
    assert "grid of the original scan" in " ".join(output.split())
    metrics = json.loads((out / "metrics.json").read_text())
    (case,) = metrics["cases"]
    image_path = ct.with_name("img0001.nii.gz")
    _succeed("segment", "--run", run, "--input", image_path, "--out", place / "scored.nii.gz")
    found = nibabel.load(place / "scored.nii.gz")
    labels = np.asanyarray(nibabel.load(malbcv / "RawData" / "Training" / "label" / "label0001.nii.gz").dataobj)
    found, spacing = np.asanyarray(found.dataobj), nibabel.affines.voxel_sizes(found.affine)
    for organ, index, stored in (("liver", 1, 6), ("spleen", 4, 1)):
        masks = found == index, labels == stored
        assert masks[1].any()
        assert case[organ]["dice"] == pytest.approx(100 * dice(*masks))
        expected = assd(*masks, spacing)
        assert case[organ]["assd_mm"] == ("inf" if np.isinf(expected) else pytest.approx(expected))
        assert case[organ]["assd_voxel"] is None
        assert case["volume_ml"][organ]["reference"] == pytest.approx(masks[1].sum() * np.prod(spacing) / 1000)
    with np.load(out / "cases" / "malbcv-0001.npz") as pictures:
        assert pictures["prediction"].shape[1:] == (256, 256)
    before = (out / "metrics.json").read_bytes()
    _succeed(*words, "--out", out, "--overwrite")
    assert (out / "metrics.json").read_bytes() == before


def test_evaluate_on_the_grid_of_the_scan_wants_the_scans_of_the_records(run, records, place):
    words = ("evaluate", "--run", run, "--records", records, "--out", place / "no")
    native = (*words, "--protocol", "native_3d")
    assert "needs --scans" in _fail(*native)
    assert "go with --protocol native_3d" in _fail(*words, "--scans", place / "malbcv")
    assert "nowhere" in _fail(*native, "--scans", place / "nowhere")
    other = place / "other_scans"
    shutil.copytree(place / "malbcv", other)
    label = other / "RawData" / "Training" / "label" / "label0001.nii.gz"
    stored = nibabel.load(label)
    values = np.array(stored.dataobj)
    values[0, 0, 0] = 6
    nibabel.save(nibabel.Nifti1Image(values, stored.affine, stored.header), label)
    assert "other voxels or labels on the same grid" in _fail(*native, "--scans", other)
    image = other / "RawData" / "Training" / "img" / "img0001.nii.gz"
    for path in (image, label):
        stored = nibabel.load(path)
        cut = stored.slicer[1:]
        nibabel.save(cut, path)
    assert "another grid" in _fail(*native, "--scans", other)
    image.unlink()
    label.unlink()
    assert "expected the case malbcv-0001 of the records" in _fail(*native, "--scans", other)
    assert not (place / "no").exists()


def test_evaluate_names_its_postprocessing(run, records, place):
    out = place / "largest"
    output = _succeed("evaluate", "--run", run, "--records", records, "--out", out, "--postprocess")
    assert "only the largest part" in " ".join(output.split())
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["postprocessing"] == {"largest_component": True, "fill_holes": True}
    plain = metrics["without_postprocessing"]
    assert f"{plain['average']['dice']:.2f}" in next(line for line in output.splitlines() if "without postproc" in line)
    with np.load(out / "cases" / "malbcv-0001.npz") as pictures:
        for index in range(1, 5):
            assert ndimage.label(pictures["prediction"] == index)[1] <= 1


def test_segment_answers_on_the_scans_own_grid(run, ct, place):
    out = place / "labels.nii.gz"
    assert "liver" in _succeed("segment", "--run", run, "--input", ct, "--out", out)
    scan, labels = nibabel.load(ct), nibabel.load(out)
    assert labels.shape == scan.shape
    np.testing.assert_allclose(labels.affine, scan.affine, atol=1e-4)
    assert set(np.unique(np.asanyarray(labels.dataobj))) <= set(range(5))


def test_translate_answers_on_the_scans_own_grid(run, ct, place):
    out = place / "translated.nii.gz"
    _succeed("translate", "--run", run, "--input", ct, "--out", out)
    scan, image = nibabel.load(ct), nibabel.load(out)
    voxels = np.asanyarray(image.dataobj)
    assert voxels.shape == scan.shape
    np.testing.assert_allclose(image.affine, scan.affine, atol=1e-4)
    assert voxels.min() >= 0
    assert voxels.max() <= 1000


def test_a_dicom_folder_can_be_segmented(place, records):
    out = place / "to_mri"
    _succeed(*_train_words(records, out, "source_only", "ct2mri"))
    series = place / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR" / "DICOM_anon"
    _succeed("segment", "--run", out, "--input", series, "--out", place / "mr.nii.gz")
    assert sorted(nibabel.load(place / "mr.nii.gz").shape) == sorted((6, 100, 140))


def test_export_writes_one_version_after_the_other_and_replaces_none(run, place):
    import tensorflow as tf

    from attent_tf.inference.chain import load_chain
    from attent_tf.runs import load_run

    out = place / "saved"
    assert f"Wrote {out / '1'}" in _succeed("export", "--run", run, "--out", out)
    message = _fail("export", "--run", run, "--out", out, "--version", "1")
    assert "expected a version that does not exist yet; give --version 2" in message
    output = _succeed("export", "--run", run, "--out", out, "--optimize")
    assert "Optimised, on 8 phantom slices: probabilities changed by at most" in output
    assert sorted(path.name for path in out.iterdir()) == ["1", "2"]
    image = tf.random.stateless_uniform((3, 256, 256, 1), (1, 2), -1, 1)
    expected = load_chain(load_run(run))(image)
    for version, tolerance in (("1", 1e-5), ("2", 1e-4)):
        answer = tf.saved_model.load(str(out / version)).signatures["serving_default"](image=image)
        assert_same_answers(answer, expected, tolerance)
        np.testing.assert_allclose(tf.reduce_sum(answer["probabilities"], axis=-1), 1, atol=1e-5)


def test_the_model_card_shows_the_scores_of_the_evaluation(run, scores, place):
    out = place / "scored"
    _succeed("export", "--run", run, "--out", out, "--evaluation", scores[0])
    card = (out / "1" / "MODEL_CARD.md").read_text()
    assert "| | Dice, % | ASSD, voxel | ASSD, mm |" in card
    assert "| Average | " in card
    assert "1 test case with labels. Protocol `volume_3d`" in card
    message = _fail("export", "--run", run, "--out", out, "--evaluation", place / "nowhere")
    assert "nowhere" in message
    assert [path.name for path in out.iterdir()] == ["1"]


def test_methods_without_a_translator_cannot_translate(lower_bound, ct, place):
    message = _fail("translate", "--run", lower_bound, "--input", ct, "--out", place / "none.nii.gz")
    assert "no translator" in message
    assert not (place / "none.nii.gz").exists()


def test_names_that_cannot_be_written_are_refused_first(run, ct, place):
    assert ".nii" in _fail("segment", "--run", run, "--input", ct, "--out", place / "labels.png")


def test_an_unknown_method_gets_the_nearest(records, place):
    assert "did you mean 'attent'" in _fail(*_train_words(records, place / "x", "atent"))


def test_an_unknown_key_gets_the_nearest(records, place):
    message = _fail(*_train_words(records, place / "x"), "--set", "translation.stepz=1")
    assert "did you mean 'translation.steps'?" in message
    assert not (place / "x").exists()


def test_missing_folders_are_named(run, place):
    assert "nowhere" in _fail("evaluate", "--run", run, "--records", place / "nowhere", "--out", place / "y")
    assert "nowhere" in _fail("evaluate", "--run", place / "nowhere", "--records", place, "--out", place / "y")
    assert "nowhere" in _fail("preprocess", "--mri", place / "nowhere", "--out", place / "y")
    assert "nowhere" in _fail("segment", "--run", run, "--input", place / "nowhere", "--out", place / "y.nii")
    assert not (place / "y").exists()


def test_records_of_another_schema_are_refused(records, run, place):
    other = place / "other_schema"
    shutil.copytree(records, other)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "schema": 99}))
    message = _fail("evaluate", "--run", run, "--records", other, "--out", place / "z")
    assert "99" in message
    assert "preprocess again" in message


def test_target_labels_are_not_needed_for_adaptation(place):
    """The direction MRI to CT trains on CT scans that have no labels at all."""
    from tests.support.folders import write_ct, write_mr

    root = place / "unlabelled"
    for number in (1, 2):
        write_mr(root / "chaos", number, upwards=True)
        write_ct(root / "malbcv", number, "RAS", labelled=False)
    _succeed("preprocess", "--mri", root / "chaos", "--ct", root / "malbcv", "--out", root / "records")
    _succeed(*_train_words(root / "records", root / "run"))
    message = _fail(*_train_words(root / "records", root / "upper", "supervised"))
    assert "no labels" in message
    _succeed("evaluate", "--run", root / "run", "--records", root / "records", "--out", root / "evaluation")
    metrics = json.loads((root / "evaluation" / "metrics.json").read_text())
    assert metrics["cases"][0]["liver"]["dice"] is None
