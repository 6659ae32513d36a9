"""What several commands say of a records folder."""

import collections

from attent_tf.volumes import PATIENT, SLICE


def summary(manifest) -> list[str]:
    """Returns a table of the domains of a manifest, and what a reader should know about its splits, as lines."""
    rows = [("domain", "cases", "train", "test", "slices", "shards")]
    for domain in sorted({case.domain for case in manifest.cases}):
        cases = [case for case in manifest.cases if case.domain == domain]
        splits = collections.Counter(case.split for case in cases)
        train, test = splits["train"] + splits["all"], splits["test"] + splits["all"]
        counts = (len(cases), train, test, sum(case.slices for case in cases), len({case.shard for case in cases}))
        rows.append((domain, *map(str, counts)))
    lines = table(rows)
    if any(case.split == "all" for case in manifest.cases):
        lines.append("Split none: every case both trains and tests, so scores on these records are not test results.")
    if any(case.uses_labels_for_selection for case in manifest.cases):
        lines.append("Slices organs: labels chose the training slices, also in the target domain.")
    spaces = collections.Counter(case.geometry.space for case in manifest.cases)
    if spaces[SLICE]:
        lines.append(
            f"Cases of one slice from an unknown scan, which are for training and are not scored: {spaces[SLICE]}."
        )
    if spaces.total() > spaces[PATIENT]:
        lines.append("The size of their voxels is not known: lengths count voxels, and anatomy was not checked.")
    return lines


def table(rows) -> list[str]:
    """Returns rows of texts as lines with aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))).rstrip() for row in rows]
