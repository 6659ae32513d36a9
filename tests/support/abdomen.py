"""The task of most tests, taken apart."""

from attent_tf.tasks import load_task

ABDOMEN = load_task("abdomen")
CLASS_NAMES = ABDOMEN.class_names
NUM_CLASSES = ABDOMEN.num_classes
ORGANS = ABDOMEN.structure_names
ORGAN_TITLES = ABDOMEN.titles
LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN = range(1, NUM_CLASSES)
DOMAINS = ABDOMEN.domain_names
MRI, CT = map(ABDOMEN.domain, DOMAINS)
