"""The preprocessing job: folders of scans in, sliced TFRecords out, on any Beam runner.

Nothing here loads TensorFlow, and Apache Beam is loaded when a job runs.
"""

from beam_preprocess.job import run
from beam_preprocess.options import PreprocessOptions

__all__ = ["PreprocessOptions", "run"]
