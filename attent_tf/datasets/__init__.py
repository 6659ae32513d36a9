"""Data sets as descriptions: how their cases are found, checked and read. No TensorFlow, no Beam."""

from attent_tf.datasets.cases import CaseFiles
from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.digest import input_digest
from attent_tf.datasets.find import CaseProblem, FoundCases, find_cases, survey_cases
from attent_tf.datasets.load import SHIPPED, load_description
from attent_tf.datasets.reading import read_case

__all__ = [
    "SHIPPED",
    "CaseFiles",
    "CaseProblem",
    "DatasetDescription",
    "FoundCases",
    "find_cases",
    "input_digest",
    "load_description",
    "read_case",
    "survey_cases",
]
