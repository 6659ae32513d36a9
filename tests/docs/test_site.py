"""The documentation as a site: every public name, every link, nothing fetched, fit for a telephone, searched from the disk."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import attent_tf
from tests.reporting.browser import opened
from tests.support.notebooks import run_notebook

pytest.importorskip("sphinx", reason="needs the extra docs (make docs)")
pytest.importorskip("myst_nb", reason="needs the extra docs (make docs)")
pytestmark = pytest.mark.slow

_ROOT = Path(__file__).resolve().parents[2]
_DOCS = _ROOT / "docs"
PAGES = (
    "index.html",
    "reference.html",
    "method.html",
    "drawings.html",
    "results.html",
    "tutorials/gates-and-entropy.html",
)


def build(source: Path, out: Path, *options: str) -> subprocess.CompletedProcess:
    """Builds the site as `make docs` does, without running the tutorials, which `make docs` alone does."""
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", str(_DOCS / "site")]
    command += [
        "-D",
        "nb_execution_mode=off",
        "-D",
        "suppress_warnings=misc.highlighting_failure,myst-nb.lexer",
        *options,
    ]
    return subprocess.run([*command, str(source), str(out)], capture_output=True, text=True, cwd=_ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(_DOCS, out)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def test_every_public_name_has_its_entry(site):
    reference = (site / "reference.html").read_text("utf-8")
    for name in (name for name in attent_tf.__all__ if not name.startswith("__")):
        assert f'id="attent_tf.{name}"' in reference or f'id="module-attent_tf.{name}"' in reference, name
    for module in (attent_tf.models, attent_tf.layers, attent_tf.losses):
        for name in module.__all__:
            assert f'id="{module.__name__}.{name}"' in reference, name


def test_a_broken_link_fails(tmp_path):
    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("# Pages\n\n[gone](gone.md) and [also gone](#nowhere)\n")
    done = build(pages, tmp_path / "out")
    assert done.returncode != 0
    assert "gone.md" in done.stderr
    assert "nowhere" in done.stderr


def test_equations_are_drawn_by_the_browser_itself(tmp_path):
    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("# Equations\n\n$\\alpha_i$ and\n\n$$\\frac{1}{2}$$\n")
    done = build(pages, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert text.count("<math") == 2
    assert "<mfrac>" in text
    assert not re.search(r"<script[^>]*(http|mathjax)", text, re.IGNORECASE)


def test_figures_have_every_room_and_every_method(site):
    figures = (site / "drawings.html").read_text("utf-8")
    for room in ("beam_preprocess", "training", "volumes", "metrics"):
        assert f">{room}</text>" in figures
    for method in attent_tf.METHODS.values():
        assert f"({method.id})</text>" in figures


@pytest.fixture(scope="module")
def browser():
    yield from opened()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_telephone_and_fetch_nothing(browser, site, scheme):
    for page in PAGES:
        browser.open(site / page, width=360, scheme=scheme)
        assert browser.run("return document.documentElement.scrollWidth") <= 360, page
        light = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)")
        assert (sum(map(int, light)) < 300) == (scheme == "dark")
        console, sent = browser.logs()
        assert not console, page
        assert all(url.startswith(("file:", "data:", "blob:")) for url in sent), page


def test_the_search_works_from_the_disk(browser, site):
    browser.open(site / "index.html")
    browser.driver.get((site / "search.html").as_uri() + "?q=entropy")
    browser.wait("return document.querySelectorAll('#search-results li a').length > 3")
    assert not browser.logs()[0]


def test_the_shortest_tutorial_runs(tmp_path, monkeypatch):
    # The command of this checkout, whatever is installed.
    command = tmp_path / "bin" / "attent"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from cli.main import main; main()" "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{_ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    work = tmp_path / "work"
    work.mkdir()
    run_notebook(_DOCS / "tutorials" / "your-own-task.md", work)
    assert (work / "labels.nii.gz").exists()
    assert "ball" in (work / "labels_page.html").read_text("utf-8").lower()
