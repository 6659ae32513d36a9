"""What cases may be called."""

import hypothesis
import hypothesis.strategies as st
import pytest

from attent_tf.names import clash_key, file_in, name_problem, normal_name

COMPOSED, DECOMPOSED = "M\u00fcller", "Mu\u0308ller"


@pytest.mark.parametrize(
    "name",
    [
        "Patient 01",
        COMPOSED,
        "患者-3",
        "a+b, (c) #1 & d's = e%",
        "-1",
        "_",
        "a.b",
        " a",
        "Ω~!@$^[]{};`",
        "n" * 248,
        "conrad",
    ],
)
def test_what_people_write_is_a_name(name):
    assert name_problem("file", normal_name(name)) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((f"a{letter}b", "a name without") for letter in '/\\:*?"<>|\0\n\t\x7f\x85\u2028'),
        *((name, "a name with no dot") for name in ("", ".a", "a.", "a ", ".")),
        *((name, "a name that Windows") for name in ("CON", "nul", "Com1", "lpt9.scan")),
        *((name, "a name of at most 248 bytes") for name in (249 * "n", 83 * "患")),
        ("a\udcff", "a name without"),
    ],
)
def test_what_cannot_be_a_files_name_is_told_in_one_line(name, expected):
    line = str(name_problem("file", normal_name(name), "rename it"))
    assert line.startswith(f"file: expected {expected}")
    assert line.endswith("; rename it")
    assert line.isprintable()


def test_both_spellings_are_one_name_and_capitals_clash():
    assert COMPOSED != DECOMPOSED
    assert normal_name(DECOMPOSED) == normal_name(COMPOSED) == COMPOSED
    assert clash_key(DECOMPOSED.upper()) == clash_key(COMPOSED)
    assert clash_key("a") != clash_key("b")


@hypothesis.given(st.text())
def test_the_spelling_is_settled_at_once(name):
    once = normal_name(name)
    assert normal_name(once) == once
    assert clash_key(clash_key(name)) == clash_key(name)
    once.encode()


@pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("asked", [COMPOSED, DECOMPOSED])
def test_a_file_is_found_whichever_spelling_its_folder_has(stored, asked, tmp_path):
    (tmp_path / f"{stored}.npz").write_text("mine")
    (tmp_path / "other.npz").write_text("other")
    assert file_in(tmp_path, f"{asked}.npz").read_text() == "mine"
    assert file_in(tmp_path, "none.npz") == tmp_path / "none.npz"
    assert file_in(tmp_path / "nowhere", "x") == tmp_path / "nowhere" / "x"
