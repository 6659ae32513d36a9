"""Lists of scans: what they may say, and the line of what they may not."""

import unicodedata

import pytest

from attent_tf.cohort import CohortScan, read_cohort
from attent_tf.errors import InputError


def _read(tmp_path, text):
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_cohort(path)


def test_paths_are_relative_to_the_list_and_name_cases(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = '\ufeffSite,Path,Case\r\nx,ct/a.nii.gz,\r\n\r\ny,"/data/b, old.NII",\r\nz,../series/7,Müller 1\r\n'
    assert _read(tmp_path, text) == (
        CohortScan("a", str(tmp_path / "ct" / "a.nii.gz")),
        CohortScan("b, old", "/data/b, old.NII"),
        CohortScan("Müller 1", str(tmp_path.parent / "series" / "7")),
    )
    assert read_cohort("list.csv") == read_cohort(tmp_path / "list.csv")


def test_a_folder_may_be_listed_once_for_each_of_its_series(tmp_path):
    text = "path,case,series\nct,portal,1.2.3\nct,late, 4\nct,first,\n"
    folder = str(tmp_path / "ct")
    assert _read(tmp_path, text) == (
        CohortScan("portal", folder, "1.2.3"),
        CohortScan("late", folder, "4"),
        CohortScan("first", folder),
    )
    with pytest.raises(InputError, match="line 3: expected a scan that is not in the list yet"):
        _read(tmp_path, "path,case,series\nct,a,4\nct,b,4\n")


@pytest.mark.parametrize(("written", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_scan_is_found_whichever_spelling_its_folder_has(tmp_path, written, stored):
    name = "Klinik Köln/Müller.nii.gz"
    there = tmp_path / unicodedata.normalize(stored, name)
    there.parent.mkdir()
    there.write_bytes(b"")
    text = f"path\n{unicodedata.normalize(written, name)}\n"
    assert _read(tmp_path, text) == (CohortScan(unicodedata.normalize("NFC", "Müller"), str(there)),)
    with pytest.raises(InputError, match="line 3: expected a scan that is not in the list yet"):
        _read(tmp_path, f"{text}{unicodedata.normalize(stored, name)}\n")
    there.unlink()
    (scan,) = _read(tmp_path, text)
    assert scan.path == str(tmp_path / unicodedata.normalize(written, name))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"list\.csv: expected a list of scans, found an empty file"),
        ("path\n", r"list\.csv: expected a line for each scan below the header, found none"),
        ("file,case\na.nii,1\n", r"list\.csv: expected one column path in the first line, found file,case"),
        ("path;case\na.nii;1\n", "found path;case"),
        ("path,case\na.nii\n", r"list\.csv, line 2: expected 2 fields, as in the header, found 1"),
        ("path\na, b.nii\n", "line 2: expected 1 field, as in the header, found 2; put fields that hold a comma in"),
        ('path\n"a.nii\n', r"line 2: expected CSV, found unexpected end of data"),
        ("path,case\n,one\n", "line 2: expected a path, found an empty field"),
        (
            "path\na.nii\nb.nii\n./x/../a.nii\n",
            "line 4: expected a scan that is not in the list yet, .*, which line 2 has",
        ),
        (
            "path\nx/scan.nii\ny/Scan.nii.gz\n",
            "line 3: expected a case name .* found Scan, which line 2 has too; tell them",
        ),
        (
            "path,case\na.nii,../a\n",
            r"line 2: expected a name without .* found '\.\./a'; give another one in the column case",
        ),
        ("path,case\na.nii,.a\n", r"line 2: .* found '\.a'"),
        (f"path,case\na.nii,{'é' * 125}\n", "line 2: expected a name of at most 248 bytes, .* found 250 bytes"),
        ("path,case\na.nii,M\u00fcller\nb.nii,mu\u0308ller\n", "line 3: .* found m\u00fcller, which line 2 has too"),
        ("path\nscans/Cohort.nii\n", "line 2: expected a case name other than cohort and model, found Cohort"),
        (b"path\n\xff.nii\n", r"list\.csv: expected a list of scans, found other bytes"),
    ],
)
def test_what_is_wrong_with_a_list_is_one_line(text, message, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        _read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: expected a list of scans, found no such file"):
        read_cohort(tmp_path / "none.csv")


def test_scans_on_an_object_store_are_named_by_their_paths(tmp_path):
    listed = tmp_path / "list.csv"
    listed.write_text("path\ns3://bucket/site/a.nii.gz\ns3://bucket/site/series-7/\n")
    assert [(scan.case, scan.path) for scan in read_cohort(listed)] == [
        ("a", "s3://bucket/site/a.nii.gz"),
        ("series-7", "s3://bucket/site/series-7"),
    ]
