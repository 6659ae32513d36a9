"""The cohort job: a list of scans and an exported model in, label maps and a manifest out, on any Beam runner.

It stands beside preprocessing, because the two share how runners are chosen, how workers tell what they met, and how they are
kept from taking each other's cores; what is done to a scan is `attent_tf.cohort`'s. Nothing here loads TensorFlow before a
worker loads its model, and Apache Beam is loaded when a job runs.
"""

from beam_preprocess.cohort.job import CohortOutcome, run_cohort
from beam_preprocess.cohort.options import CohortOptions

__all__ = ["CohortOptions", "CohortOutcome", "run_cohort"]
