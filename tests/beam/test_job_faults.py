"""A job that meets a fault: one line for the user, and a records folder that is complete or absent."""

import shutil

import pytest

import beam_preprocess
from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_records
from attent_tf.data.verify import verify
from attent_tf.errors import InputError
from beam_preprocess import slicing
from tests.support.digests import file_digests


def test_refused_case_reaches_the_user_as_one_line_and_leaves_nothing(make_options, damaged, tmp_path):
    with pytest.raises(InputError, match=r"img0002\.nii\.gz") as refused:
        beam_preprocess.run(make_options(ct=str(damaged)))
    message = str(refused.value)
    assert "\n" not in message
    assert "while running" not in message
    assert refused.value.__suppress_context__
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_refused_case_comes_back_over_grpc(make_options, damaged, tmp_path):
    with pytest.raises(InputError, match=r"img0002\.nii\.gz") as refused:
        beam_preprocess.run(
            make_options(ct=str(damaged)), ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]
        )
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_defect_in_a_worker_is_no_user_error_and_leaves_nothing(make_options, tmp_path, monkeypatch):
    def defect(*_):
        raise ZeroDivisionError("defect")

    monkeypatch.setattr(slicing, "slice_records", defect)
    with pytest.raises(Exception, match="defect"):
        beam_preprocess.run(make_options())
    assert not list(tmp_path.iterdir())


def test_full_disk_in_a_worker_is_one_line(make_options, tmp_path, monkeypatch):
    from attent_tf.tfrecord import framing

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(framing, "frame", full)
    with pytest.raises(InputError, match=r"^(chaos|malbcv)-\d+: No space left on device"):
        beam_preprocess.run(make_options())
    assert not list(tmp_path.iterdir())


def test_existing_folder_is_left_alone(make_options, tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="records: expected a folder that does not exist yet or is empty"):
        beam_preprocess.run(make_options())
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["mine.txt"]


def test_out_below_a_file_is_one_line(make_options, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be written"):
        beam_preprocess.run(make_options(out=str(tmp_path / "file" / "records")))


def test_same_scan_in_two_splits_is_refused(data, make_options, tmp_path):
    root = tmp_path / "ct"
    shutil.copytree(data / "malbcv", root)
    for kind in ("img", "label"):
        folder = root / "RawData" / "Training" / kind
        shutil.copy(folder / f"{kind}0001.nii.gz", folder / f"{kind}0002.nii.gz")
    with pytest.raises(
        Exception, match=r"img0002.*: expected a scan of its own, found the bytes of .*img0001.*\(malbcv-0001\)"
    ):
        beam_preprocess.run(make_options(mri=None, ct=str(root)))
    assert not (tmp_path / "records").exists()


def test_rejected_cases_do_not_change_the_others(make_options, made, damaged, tmp_path):
    """With the plan unchanged, the shards of the other cases have the bytes that they would have had."""
    lines = []
    manifest = beam_preprocess.run(make_options(ct=str(damaged), on_error="skip"), report=lines.append)
    assert [(rejected.case, rejected.domain, rejected.reason) for rejected in manifest.rejected] == [
        ("malbcv-0002", "ct", "content")
    ]
    undisturbed, found = file_digests(made[1]), file_digests(tmp_path / "records")
    lost = next(case.shard for case in read_manifest(made[1]).cases if case.case == "malbcv-0002")
    assert {name for name in undisturbed if found.get(name) != undisturbed[name]} == {lost, "manifest.json"}
    # Its shard stays, and holds nothing.
    assert (tmp_path / "records" / lost).stat().st_size == 0
    verify(tmp_path / "records")
    assert any(line.startswith("[") and "set aside: malbcv-0002: " in line for line in lines)
    assert len(list(read_records(tmp_path / "records", manifest, "ct", "train"))) == 5


def test_an_emptied_split_is_a_warning_and_an_emptied_domain_an_error(data, make_options, tmp_path):
    root = tmp_path / "ct"
    shutil.copytree(data / "malbcv", root)
    images = root / "RawData" / "Training" / "img"
    (images / "img0001.nii.gz").write_bytes((images / "img0001.nii.gz").read_bytes()[:5000])
    lines = []
    beam_preprocess.run(make_options(mri=None, ct=str(root), on_error="skip"), report=lines.append)
    assert "Warning: no ct case is left in the split test; all of them were set aside" in lines
    for path in images.iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="expected a ct case that can be used, found none"):
        beam_preprocess.run(make_options(ct=str(root), on_error="skip", out=str(tmp_path / "other")))
    assert not (tmp_path / "other").exists()


def test_counters_tell_cases_slices_and_reasons(make_options, damaged, monkeypatch):
    from apache_beam.runners.runner import PipelineResult

    results = []
    wait = PipelineResult.wait_until_finish

    def kept(result, *arguments, **options):
        results.append(result)
        return wait(result, *arguments, **options)

    import apache_beam.runners.portability.fn_api_runner.fn_runner as fn_runner

    monkeypatch.setattr(fn_runner.RunnerResult, "wait_until_finish", kept)
    beam_preprocess.run(make_options(ct=str(damaged), on_error="skip"))
    counters = {counter.key.metric.name: counter.committed for counter in results[-1].metrics().query()["counters"]}
    mine = {name: count for name, count in counters.items() if name.startswith(("cases", "slices"))}
    assert mine == {"cases": 4, "slices": 23, "cases_rejected": 1, "cases_rejected_content": 1}
