"""DeepMind's surface-distance, an oracle; its use of names that SciPy moved is kept quiet."""

import warnings


def call(name, *arguments):
    """Calls a function of the package."""
    import surface_distance

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(surface_distance, name)(*arguments)


def surface_dice(prediction, reference, tolerance_mm, spacing_mm):
    """Surface Dice at a tolerance, weighed by area."""
    distances = call("compute_surface_distances", reference, prediction, spacing_mm)
    return call("compute_surface_dice_at_tolerance", distances, tolerance_mm)
