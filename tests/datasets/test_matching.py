"""From names to cases: pure functions of lists of paths."""

import dataclasses

import hypothesis
import hypothesis.strategies as st
import pytest

from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.load import SHIPPED, description_from_text, load_description
from attent_tf.datasets.matching import match_cases, paths_below, pattern_expression
from attent_tf.errors import ConfigError


def _description(images, **fields):
    if "labels" in fields:
        fields.setdefault("label_values", (("liver", (1,)),))
    return DatasetDescription(name="x", images=images, modality="ct", **fields)


def _problems(description, *paths):
    return [str(problem) for _, problem in match_cases(description, paths, "root/").problems]


@pytest.mark.parametrize(
    ("pattern", "path", "case"),
    [
        ("img/img{case}.nii.gz", "img/img0001.nii.gz", "0001"),
        ("img/img{case}.nii.gz", "img/img0001.nii", "0001"),
        ("img/img{case}.nii.gz", "img/IMG0001.NII.GZ", "0001"),
        ("img/img{case}.nii.gz", "img/sub/img0001.nii.gz", None),
        ("{case}/*.dcm", "7/a.b.dcm", "7"),
        ("{case}/*.dcm", "7/x/a.dcm", None),
        ("{case}/{case}_ct.nii.gz", "p1/p1_ct.nii.gz", "p1"),
        ("{case}/{case}_ct.nii.gz", "p1/p2_ct.nii.gz", None),
        ("a+b/{case}.nii.gz", "a+b/1.nii.gz", "1"),
        ("a+b/{case}.nii.gz", "aab/1.nii.gz", None),
    ],
)
def test_patterns(pattern, path, case):
    match = pattern_expression(pattern).fullmatch(path)
    assert (match and match["case"]) == case


names = st.text("abcxyz0189._-é患 '&#(+,=", min_size=1, max_size=6).filter(lambda name: name[-1] not in ". ")


@hypothesis.given(st.sets(names, min_size=1, max_size=8), st.randoms())
def test_every_pair_is_found_whatever_the_order(cases, random):
    paths = [f"images/{case}.nii.gz" for case in cases] + [f"labels/{case}.nii.gz" for case in cases]
    random.shuffle(paths)
    found = match_cases(_description("images/{case}.nii.gz", labels="labels/{case}.nii.gz"), paths, "")
    assert {case.case for case in found.cases} == cases
    assert all(
        (case.images, case.labels) == ((f"images/{case.case}.nii.gz",), (f"labels/{case.case}.nii.gz",))
        for case in found.cases
    )
    assert not found.problems


def test_all_lonely_files_are_told_at_once():
    description = _description("i/{case}.nii.gz", labels="l/{case}.nii.gz")
    problems = _problems(description, "i/1.nii.gz", "l/1.nii.gz", "i/2.nii.gz", "l/3.nii.gz", "i/4.nii.gz", "i/4.nii")
    assert [text.split(";")[0] for text in problems] == [
        "root/i/2.nii.gz: expected its labels l/2.nii.gz, found none",
        "root/l/3.nii.gz: expected its image i/3.nii.gz, found none",
        "root/i/4.nii.gz: expected one file for a case, found root/i/4.nii too",
        "root/i/4.nii: expected its labels l/4.nii.gz, found none",
    ]


def test_names_that_no_file_could_have_are_refused():
    (problem,) = _problems(_description("{case}.nii"), "a:b.nii")
    assert problem.startswith("root/a:b.nii: expected a name without ")
    assert problem.endswith("found 'x-a:b'; rename the file or folder")


def test_both_spellings_of_a_name_are_one_case_and_files_keep_the_path_that_they_have():
    composed, decomposed = "M\u00fcller", "Mu\u0308ller"
    description = _description(f"Gr\u00f6sse/{composed}_{{case}}/{{case}}.nii.gz", labels="labels/{case}.nii.gz")
    image = f"Gro\u0308sse/{decomposed}_{decomposed}/{composed}.nii.gz"
    label = f"labels/{decomposed}.nii.gz"
    found = match_cases(description, [image, label], "")
    assert not found.problems
    assert [(case.case, case.images, case.labels) for case in found.cases] == [(composed, (image,), (label,))]
    left_out = dataclasses.replace(description, exclude=(decomposed,))
    assert not match_cases(left_out, [image, label], "").cases


def test_folders_of_one_name_in_two_spellings_are_no_case():
    paths = ["M\u00fcller/1.dcm", "Mu\u0308ller/2.dcm", "b/1.dcm"]
    found = match_cases(_description("{case}/*.dcm"), paths, "root/")
    assert [case.case for case in found.cases] == ["b"]
    ((name, problem),) = found.problems
    assert name == "x-M\u00fcller"
    assert "expected one folder for a case" in str(problem)
    assert "another spelling of Unicode" in str(problem)


def test_the_folder_of_a_description_is_found_in_either_spelling():
    paths = ["a.txt", "Gro\u0308sse/img/1.nii", "Gro\u0308sse/2.nii"]
    assert paths_below(paths, "Gr\u00f6sse/img") == ("Gro\u0308sse/img/", ["1.nii"])
    assert paths_below(paths, "/Gr\u00f6sse/") == ("Gro\u0308sse/", ["img/1.nii", "2.nii"])
    assert paths_below(paths, "") == ("", paths)
    assert paths_below(paths, "Gr") == ("", [])


def test_left_out_cases_are_no_strangers():
    description = _description("i/{case}.nii.gz", cases=r"\d+", exclude=("3",))
    found = match_cases(description, ["i/1.nii.gz", "i/a.nii.gz", "i/3.nii.gz"], "")
    assert [case.case for case in found.cases] == ["1"]
    assert not found.problems


def test_t1_out_of_phase_pairs_by_rank_where_names_differ():
    description = load_description("chaos-t1-out")
    slices = [f"1/T1DUAL/DICOM_anon/OutPhase/IMG-0004-0000{number}.dcm" for number in (1, 3, 5)]
    grounds = [f"1/T1DUAL/Ground/IMG-0004-0000{number}.png" for number in (2, 4, 6)]
    (one,) = match_cases(description, [*slices, *grounds], "").cases
    assert (one.images, one.labels) == (tuple(slices), tuple(grounds))
    assert match_cases(description, [*slices, *grounds[:2]], "").problems
    by_name_only = [path.replace("T1DUAL", "T2SPIR").replace("OutPhase/", "") for path in (*slices, *grounds)]
    assert match_cases(load_description("chaos"), by_name_only, "").problems


def test_slices_are_ordered_by_number():
    paths = [f"1/T2SPIR/DICOM_anon/IMG-1-{number}.dcm" for number in (10, 9, 2)]
    (one,) = match_cases(load_description("chaos"), paths, "").cases
    assert [path.split("-")[-1] for path in one.images] == ["2.dcm", "9.dcm", "10.dcm"]


def test_shipped_descriptions_are_named_as_their_files():
    assert [load_description(name).name for name in SHIPPED] == list(SHIPPED)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name: x\nimage: a", "unknown key 'image'; did you mean 'images'"),
        ("name: x\nmodality: ct", "images is missing"),
        ("name: X y\nimages: '{case}'\nmodality: ct", "name: expected small letters"),
        ("name: x\nimages: scan.nii.gz\nmodality: ct", r"images: expected a path with \{case\}"),
        ("name: x\nimages: '{case}{patient}.nii'\nmodality: ct", "closed and apart"),
        ("name: x\nimages: '../{case}.nii'\nmodality: ct", "below the data set's folder"),
        ("name: x\nimages: '{case}.nii'\nmodality: pet", "modality: expected one of mri, ct, any"),
        ("name: x\nimages: '{case}.nii'\nmodality: ct\ncases: '['", "cases: expected a regular expression"),
        ("name: x\nimages: '{case}.nii'\nmodality: ct\nexclude: [1]", "quotation marks"),
        ("name: x\nimages: 'i/{case}.nii'\nlabels: 'l/{case}.nii'\nmodality: ct", "label_values: expected the numbers"),
        (
            "name: x\nimages: 'i/{case}.nii'\nlabels: 'l/{case}.nii'\nmodality: ct\nlabel_values: {Left Lung: 1}",
            "expected names in small letters",
        ),
        (
            "name: x\nimages: 'i/{case}.nii'\nlabels: 'l/{case}.nii'\nmodality: ct\nlabel_values: {liver: 1, spleen: [2, 1]}",
            "each number to mean one structure",
        ),
        (
            "name: x\nimages: '{case}.nii'\nmodality: ct\nintensity: {kind: window, low: 3}",
            "intensity: expected the keys kind, low, high; high is missing",
        ),
        ("name: x\nimages: '{case}.nii'\nmodality: ct\nintensity: {kind: window, low: 3, high: 1}", "low below high"),
        (
            "name: x\nimages: '{patient}/{case}.nii'\nlabels: 'l/{case}.nii'\nmodality: ct\nlabel_values: {liver: 1}",
            "in all patterns or in none",
        ),
        (
            "name: x\nimages: 'i/{case}.nii'\nlabels: 'l/{case}.nii'\nmodality: ct\nlabel_values: {a: 1}\nnumbered_by_task: true",
            "numbered_by_task: expected no label_values beside it",
        ),
        (
            "name: x\nimages: '{case}.nii'\nmodality: ct\nmasks: {a: 'm/{case}.nii'}\nnumbered_by_task: true",
            "numbered_by_task: expected no masks beside it",
        ),
        (
            "name: x\nimages: '{case}.nii'\nmodality: ct\nnumbered_by_task: 1",
            "numbered_by_task: expected true or false",
        ),
        ("- x", r"expected keys such as name, images, modality, found \['x'\]"),
        ("name: x\nimages: '{case}.nii'\nmodality: ct\nothers: [a]", "unknown key 'others'"),
        ("name: [", "not valid YAML"),
    ],
)
def test_wrong_descriptions_are_one_line(text, found):
    with pytest.raises(ConfigError, match=rf"^mine\.yaml: .*{found}") as refused:
        description_from_text(text, "mine.yaml")
    assert "\n" not in str(refused.value)


def test_unknown_names_come_with_the_near_one():
    with pytest.raises(ConfigError, match="did you mean 'malbcv'"):
        load_description("malbvc")
