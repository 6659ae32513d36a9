"""The classes of the task, in the order of the channel axis of every probability map."""

CLASS_NAMES = ("background", "liver", "right_kidney", "left_kidney", "spleen")
NUM_CLASSES = len(CLASS_NAMES)

ORGANS = CLASS_NAMES[1:]
ORGAN_TITLES = {
    "liver": "Liver",
    "right_kidney": "Right kidney",
    "left_kidney": "Left kidney",
    "spleen": "Spleen",
}

LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN = range(1, NUM_CLASSES)

DOMAINS = ("mri", "ct")
