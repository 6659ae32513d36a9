"""What is said of cases that are set aside: the lines of `rejected.jsonl`, and the entries of the manifest."""

import json
from types import SimpleNamespace

from attent_tf.data.manifest import RejectedCase
from attent_tf.datasets.find import CaseProblem
from attent_tf.errors import ConfigError, InputError, Problem
from beam_preprocess import notes
from beam_preprocess.rejections import found_before, found_by_worker, in_order, rejected_cases


def _rejection(case, check="pairing", where="scan.nii"):
    return found_before(CaseProblem(case, "ct", check, Problem(where, "a body", "air", "leave it out")), "train")


def _planned(case):
    return SimpleNamespace(files=SimpleNamespace(case=case, domain="ct"), split="test")


def test_a_line_says_what_was_found_before_any_voxel_was_read():
    assert json.dumps(_rejection("ct-7"), sort_keys=True) == (
        '{"advice": "leave it out", "case": "ct-7", "domain": "ct", "expected": "a body", "found": "air", '
        '"kind": "InputError", "message": "scan.nii: expected a body, found air; leave it out", "reason": "pairing", '
        '"split": "train", "where": "scan.nii"}'
    )


def test_a_line_says_what_a_worker_met():
    problem = notes.error_parts(InputError("scan.nii", "a body", "air", "leave it out"), "ct-7")
    assert json.dumps(found_by_worker(_planned("ct-7"), problem)) == (
        '{"case": "ct-7", "domain": "ct", "split": "test", "reason": "content", "kind": "InputError", '
        '"message": "scan.nii: expected a body, found air; leave it out", "where": "scan.nii", "expected": "a body", '
        '"found": "air", "advice": "leave it out"}'
    )
    # An error of one line has no parts.
    plain = notes.error_parts(ConfigError("--slices: none is left"), "ct-7")
    assert json.dumps(found_by_worker(_planned("ct-7"), plain)) == (
        '{"case": "ct-7", "domain": "ct", "split": "test", "reason": "content", "kind": "ConfigError", '
        '"message": "--slices: none is left"}'
    )


def test_lines_stand_in_the_order_of_the_cases_numbers():
    lines = in_order([_rejection("ct-10"), _rejection("ct-9", where="b.nii"), _rejection("ct-9", where="a.nii")])
    assert [(line["case"], line["where"]) for line in lines] == [
        ("ct-9", "a.nii"),
        ("ct-9", "b.nii"),
        ("ct-10", "scan.nii"),
    ]


def test_the_manifest_has_each_case_once_and_no_folder():
    lines = [_rejection(""), _rejection("ct-9", "affine"), _rejection("ct-9", "labels"), _rejection("ct-10")]
    assert rejected_cases(lines) == [
        RejectedCase("ct-9", "ct", "train", "affine"),
        RejectedCase("ct-10", "ct", "train", "pairing"),
    ]
