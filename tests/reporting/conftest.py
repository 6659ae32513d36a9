"""Small evaluations with a known anatomy, and a reader of the page that fails where it is not well formed."""

import dataclasses
import html.parser
import json

import numpy as np
import pytest

from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.folder import write_evaluation
from attent_tf.reporting.sources import EvaluationForReport
from attent_tf.signs import Measured, StructureCounts, judge
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN

BOXES = {LIVER: (2, 14), RIGHT_KIDNEY: (16, 22), LEFT_KIDNEY: (26, 32), SPLEEN: (34, 44)}
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Elements of a page as (tag, attributes, text directly inside), checked for nesting."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.elements, self._open = text, [], []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"attribute twice in {tag}"
        self.elements.append([tag, dict(attrs), ""])
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> without a beginning"
        index = self._open.pop()
        assert self.elements[index][0] == tag, f"</{tag}> closes <{self.elements[index][0]}>"

    def handle_data(self, data):
        if self._open:
            self.elements[self._open[-1]][2] += data

    def json(self, identifier):
        """The text of the JSON that the page holds under an identifier."""
        (text,) = (text for attributes, text in self.find("script") if attributes.get("id") == identifier)
        return text

    def find(self, tag):
        return [(attributes, text) for name, attributes, text in self.elements if name == tag]


def case_result(name, missed=(), shift=0, reference=True, translated=True, slices=6):
    shape = (slices, 48, 48)
    labels = np.zeros(shape, np.uint8)
    for index, (low, high) in BOXES.items():
        labels[2:5, 12:30, low:high] = index
    moved = np.roll(labels, shift, axis=1)
    prediction = np.where(np.isin(moved, list(missed)), 0, moved).astype(np.uint8)
    image = np.full(shape, -1.0, np.float32)
    image[:, 8:40, 1:47] = np.linspace(-0.2, 0.6, 46, dtype=np.float32)
    return CaseResult(
        case=name,
        image=image,
        entropy=(prediction > 0).astype(np.float32) * 0.5,
        prediction=prediction,
        spacing_mm=(5.0, 1.6, 1.6),
        translated=-image if translated else None,
        reference=labels if reference else None,
    )


def signs_of(liver=1.1, grey=0.72, cycle=0.95, estimate=None):
    """Signs as an evaluation keeps them, by what is found of the liver and of agreement; None for no cycle."""
    source = StructureCounts(np.array([960, 10, 10, 10, 10]), 10, 2)
    target = StructureCounts(np.array([960, 10 * liver, 10, 10, 10]), 10, 2)
    shown = {"grey": grey, "scale": 0.93, "cycle": cycle}
    overlaps = {name: np.full((4, 2), (value, 2.0)) for name, value in shown.items() if value is not None}
    reasons = {"paths": "the method deploys one path", "cycle": "the method has no translators both ways"}
    entropy = np.array([3.0, 20]), np.array([1.0, 10])
    measured = Measured(
        ABDOMEN.structure_names,
        ("case-1", "case-2"),
        32,
        target,
        np.full((2, 4), 0.97),
        entropy[0],
        overlaps,
        source,
        entropy[1],
        reasons,
    )
    return dataclasses.replace(judge(measured), estimate=estimate).to_json()


@pytest.fixture
def make_evaluation(tmp_path):
    """Writes an evaluation folder, by default of two cases, and returns where it is."""

    def make(method="attent", direction="mri2ct", cases=None, run_folder=None, task=ABDOMEN, **header):
        given = {"protocol": "volume_3d", "seed": 0, **header}
        name = f"{method}-{direction}-{given['seed']}-{len(list(tmp_path.iterdir()))}"
        results = cases if cases is not None else [case_result("case-1"), case_result("case-2", shift=3)]
        write_evaluation(tmp_path / name, task, {"method": method, "direction": direction, **given}, results)
        return EvaluationForReport(tmp_path / name, run_folder)

    return make


@pytest.fixture
def make_case():
    return case_result


@pytest.fixture
def run_folder(tmp_path):
    """A run folder with histories of both stages, a configuration and versions."""
    folder = tmp_path / "run"
    for stage, columns in (
        ("translation", "cycle_source,cycle_target,learning_rate"),
        ("segmentation", "segmentation"),
    ):
        (folder / stage).mkdir(parents=True)
        count = columns.count(",") + 1
        rows = [",".join([str(10 * i), *(f"{1 / (i + k + 1):.4f}" for k in range(count))]) for i in range(20)]
        (folder / stage / "history.csv").write_text("\n".join([f"step,{columns}", *rows]) + "\n")
    (folder / "config.yaml").write_text("method: attent\nnote: <b>bold & brave</b>\n")
    (folder / "run.json").write_text(json.dumps({"method": "attent", "versions": {"tensorflow": "2.21.0"}}))
    return folder


@pytest.fixture
def read_page():
    return lambda path: Page(path.read_text("utf-8"))
