"""A whole run on slices with their neighbours and of one slice distance: records, training, scores, volumes, export."""

import json

import numpy as np
import pytest
import tensorflow as tf

import attent_tf as at
from attent_tf.configs import load_config
from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.data.slices import load_slices
from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import RecordsError
from attent_tf.export.saved_model import export_chain
from attent_tf.inference.evaluate import evaluate
from attent_tf.runs import load_run
from attent_tf.tasks import parse_rule
from attent_tf.training.train import train
from attent_tf.volumes import PrepareOptions, prepare
from beam_preprocess import run as run_job
from tests.support.abdomen import ABDOMEN
from tests.support.jobs import abdomen_options
from tests.support.small_runs import TINY, SilentObserver, write_small_data

pytestmark = [pytest.mark.slow, pytest.mark.eager]

_SLICE_MM = 3.0


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return write_small_data(tmp_path_factory.mktemp("neighbours"))


@pytest.fixture(scope="module")
def records(place):
    options = PrepareOptions(
        size=128,
        pixel_mm=2.2,
        neighbours=1,
        slice_mm=_SLICE_MM,
        intensity={"mri": parse_rule("zscore:2.5:body")},
    )
    out = place / "records"
    run_job(abdomen_options(out=str(out), mri=str(place / "chaos"), ct=str(place / "malbcv"), prepare=options))
    return out


@pytest.fixture(scope="module")
def run(place, records):
    train(records, place / "run", "attent", "mri2ct", load_config("demo", TINY), SilentObserver())
    return load_run(place / "run")


def _scan(place):
    return read_case(find_cases(place / "malbcv", ABDOMEN, "ct")[0])


def test_records_hold_the_slices_beside_them_even_where_those_were_left_out(place, records, run):
    manifest = read_manifest(records)
    volume = read_case(find_cases(place / "malbcv", ABDOMEN, "ct")[1])
    prepared = prepare(volume, run.prepare_options)
    found = read_case_records(records, manifest, volume.case)
    first = found[0]
    assert first.slice_index > 0, "the lowest slices of a CT for training are air and left out"
    np.testing.assert_array_equal(first.image[..., 0], prepared.images[first.slice_index - 1])
    np.testing.assert_array_equal(first.image[..., 1], prepared.images[first.slice_index])
    last = found[-1]
    assert last.slice_index == last.slice_count - 1 == 9, "six slices of 5 mm are ten of 3 mm"
    np.testing.assert_array_equal(last.image[..., 2], last.image[..., 1])
    np.testing.assert_array_equal(last.label, prepared.labels[-1])
    loaded = load_slices(records, manifest, "ct", "train", 64, labels=True)
    assert loaded.images.shape[1:] == (64, 64, 3)


def test_volumes_come_back_with_the_scans_shape(place, run):
    chain, volume = at.load_chain(run), _scan(place)
    assert run.prepare_options.channels == chain.deployed.chain.networks[0].channels == 3
    labels = at.segment_volume(chain, volume.voxels, volume.affine)
    assert labels.shape == volume.shape
    assert labels.dtype == np.uint8
    assert at.translate_volume(chain, volume.voxels, volume.affine).shape == volume.shape


def test_scores_and_pictures_are_those_of_the_slice_itself(place, records, run):
    evaluation = evaluate(run, records, place / "evaluation", SilentObserver())
    (case,) = evaluation.cases
    pictures = evaluation.pictures(case.case)
    assert pictures["image"].shape == pictures["translated"].shape == pictures["prediction"].shape == (10, 128, 128)
    assert case.spacing_mm == pytest.approx([_SLICE_MM, 2.2, 2.2])
    middle = read_case_records(records, read_manifest(records), case.case)[4].image[..., 1]
    np.testing.assert_allclose(pictures["image"][4] / 127.5 - 1, middle, atol=0.01)


def test_records_prepared_otherwise_are_refused(place, run, tmp_path):
    options = PrepareOptions(
        size=128, pixel_mm=2.2, slice_mm=_SLICE_MM, intensity={"mri": parse_rule("zscore:2.5:body")}
    )
    out = tmp_path / "records"
    run_job(abdomen_options(out=str(out), ct=str(place / "malbcv"), prepare=options))
    with pytest.raises(RecordsError, match="prepared with neighbours 0, the run was trained with 1"):
        evaluate(run, out, tmp_path / "evaluation", SilentObserver())


def test_the_exported_model_takes_the_channels_of_the_records(run, tmp_path):
    export_chain(run, tmp_path / "model")
    model = tf.saved_model.load(tmp_path / "model" / "1")
    answer = model.signatures["translate"](image=tf.zeros((1, 128, 128, 3)))
    assert answer["translated"].shape == (1, 128, 128, 3)
    expected = r"image \[1,128,128,1\] is not compatible with expected shape \[\?,128,128,3\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
        model.signatures["translate"](image=tf.zeros((1, 128, 128, 1)))


def test_the_run_says_how_its_records_were_made(run):
    content = json.loads((run.folder / "run.json").read_text())["preparation"]
    assert PrepareOptions.from_json(content) == run.prepare_options
    assert run.prepare_options.intensity["mri"] == parse_rule("zscore:2.5:body")
    assert content["neighbours"] == 1
