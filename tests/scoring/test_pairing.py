import pytest

from attent_tf.errors import InputError
from attent_tf.scoring.label_map import label_map_from
from attent_tf.scoring.pairing import pair_folders
from tests.support.abdomen import ABDOMEN

_SHOWN = ("pred", "ref")


def _pairs(content, predictions, references):
    return pair_folders(label_map_from(content, ABDOMEN, "map.yaml"), predictions, references, _SHOWN)


def _cases(pairs):
    return {pair.case: (pair.prediction.paths, pair.reference.paths) for pair in pairs.cases}


def test_same_names_are_pairs_in_natural_order():
    pairs = _pairs({}, ["case_10.nii.gz", "case_9.nii"], ["case_9.nii.gz", "case_10.nii.gz", "dataset.json"])
    assert _cases(pairs) == {
        "case_9": (("pred/case_9.nii",), ("ref/case_9.nii.gz",)),
        "case_10": (("pred/case_10.nii.gz",), ("ref/case_10.nii.gz",)),
    }
    assert [pair.case for pair in pairs.cases] == ["case_9", "case_10"]
    assert not pairs.notes


def test_each_side_has_its_own_names():
    content = {"predictions": {"labels": "s{case}/seg.nii.gz"}, "references": {"labels": "label{case}.nii.gz"}}
    pairs = _pairs(content, ["s01/seg.nii.gz", "s01/other.nii.gz"], ["label01.nii.gz"])
    assert _cases(pairs) == {"01": (("pred/s01/seg.nii.gz",), ("ref/label01.nii.gz",))}
    assert pairs.notes == (
        "pred: 1 NIfTI file not called s{case}/seg.nii.gz, such as s01/other.nii.gz; nothing reads them.",
    )


def test_masks_are_gathered_from_a_folder_a_case():
    content = {"predictions": {"masks": {"liver": "{case}/liver.nii.gz", "spleen": "{case}/spleen.nii.gz"}}}
    pairs = _pairs(
        content, ["a/liver.nii.gz", "a/spleen.nii.gz", "a/colon.nii.gz", "b/liver.nii.gz"], ["a.nii.gz", "b.nii.gz"]
    )
    whole, part = pairs.cases
    assert whole.prediction.paths == ("pred/a/liver.nii.gz", "pred/a/spleen.nii.gz")
    assert whole.prediction.problem is None
    assert str(part.prediction.problem).startswith(
        "pred/b/spleen.nii.gz: expected the mask of spleen of case b, found none"
    )
    assert not pairs.notes


def test_cases_on_one_side_only_are_kept_with_the_reason():
    missing, extra, both = _pairs({}, ["b.nii.gz", "c.nii.gz"], ["a.nii.gz", "c.nii.gz"]).cases
    assert "pred/a.nii.gz: expected the prediction of case a, found none" in str(missing.prediction.problem)
    assert "ref/b.nii.gz: expected the reference of case b, found none" in str(extra.reference.problem)
    assert both.prediction.problem is both.reference.problem is None


def test_cases_may_be_chosen_and_excluded():
    names = [f"case_{number}.nii.gz" for number in range(5)]
    pairs = _pairs({"cases": "case_[0-3]", "exclude": ["case_2"]}, names, names)
    assert [pair.case for pair in pairs.cases] == ["case_0", "case_1", "case_3"]


def test_two_files_for_a_case_and_unfit_names_are_problems():
    twice, unfit = _pairs({}, ["a.nii", "a.nii.gz", "b*.nii.gz"], ["a.nii.gz", "b*.nii.gz"]).cases
    assert "pred/a.nii.gz: expected one file for a case, found a.nii too" in str(twice.prediction.problem)
    assert "ref/b*.nii.gz: expected a name without" in str(unfit.reference.problem)


def test_both_spellings_of_a_name_are_a_pair():
    composed, decomposed = "M\u00fcller 1.nii.gz", "Mu\u0308ller 1.nii.gz"
    assert _cases(_pairs({}, [composed], [decomposed])) == {
        "M\u00fcller 1": ((f"pred/{composed}",), (f"ref/{decomposed}",))
    }


def test_names_that_differ_in_capitals_alone_are_refused():
    with pytest.raises(
        InputError,
        match=r"pred and ref: expected cases that differ in more than .*, found A and a; give a case the same name",
    ):
        _pairs({}, ["A.nii.gz", "b.nii.gz"], ["a.nii.gz", "b.nii.gz"])


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        (
            [],
            ["a.nii.gz"],
            r"pred: expected predictions called {case}.nii.gz, found no NIfTI file; say in the label map",
        ),
        (["a.nii.gz"], ["x/a.nii.gz"], r"ref: expected references called {case}.nii.gz, found x/a.nii.gz"),
        (
            ["s01.nii.gz"],
            ["label01.nii.gz"],
            r"pred: expected cases called as in ref, such as label01, found s01; .*{case}",
        ),
    ],
)
def test_folders_without_a_pair_are_refused_in_one_line(predictions, references, message):
    with pytest.raises(InputError, match=message):
        _pairs({}, predictions, references)
