"""Label maps of any tool scored against references; no TensorFlow."""

from attent_tf.scoring.folders import EXIT_INCOMPLETE, score_folders
from attent_tf.scoring.label_map import LabelMap, load_label_map

__all__ = ["EXIT_INCOMPLETE", "LabelMap", "load_label_map", "score_folders"]
