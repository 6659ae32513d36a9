"""Many scans through one model: their list, what is kept of each, and the manifest of all. No TensorFlow, no Beam."""

from attent_tf.cohort.listing import CohortScan, read_cohort
from attent_tf.cohort.results import CohortFolder

__all__ = ["CohortFolder", "CohortScan", "read_cohort"]
