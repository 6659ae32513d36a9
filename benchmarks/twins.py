"""The subjects of one modality as the other shows them: what a perfect translation would make of them.

Run: python benchmarks/twins.py --seed 2 --out twins
Draws the body of each MR test subject of the split, in order, as the CT test subject of that place, in `OUT/malbcv`, and the
other way round in `OUT/chaos`, so that the same split file prepares them:

    attent preprocess --mri twins/chaos --ct twins/malbcv --out twin-records --split file \\
        --split-file benchmarks/phantom_split.yaml

A segmentor that learned on CT, scored on the CT of these records, shows how much of a gap CT to MRI a translation of the target
can close. With `--part train` it is the subjects to learn from that exchange bodies, beside test subjects as they are: a
segmentor that learns on the MR of these records has what a perfect translation of the source would give it.
"""

import argparse
from pathlib import Path

from attent_tf.data.split_file import read_split_file
from attent_tf.data.splits import TEST, TRAIN
from attent_tf.files import folder_written_aside
from attent_tf.phantom.writing import write_subject

DATASETS = ("chaos", "malbcv")


def main():
    """Writes the scans."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2, help="of the phantom")
    parser.add_argument("--split-file", type=Path, default=Path(__file__).parent / "phantom_split.yaml")
    parser.add_argument(
        "--part", choices=(TEST, TRAIN), default=TEST, help="of the split, whose subjects exchange bodies"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    given = parser.parse_args()
    parts = read_split_file(given.split_file)
    pairs = list(zip(*(_subjects(parts, given.part, dataset) for dataset in DATASETS), strict=True))
    if not pairs:
        parser.error(f"{given.split_file}: expected a list `{given.part}` of subjects, found none")
    as_they_are = [] if given.part == TEST else [subject for of in DATASETS for subject in _subjects(parts, TEST, of)]
    with folder_written_aside(given.out) as folder:
        for pair in pairs:
            for subject, body in (pair, pair[::-1]):
                name = write_subject(folder, *subject, given.seed, anatomy_of=body)
                print(f"{name}: the body of {body[0]}-{body[1]}")
        for subject in as_they_are:
            print(f"{write_subject(folder, *subject, given.seed)}: as it is")


def _subjects(parts, part, dataset):
    named = (case.split("-") for case, its_part in parts.items() if its_part == part)
    return sorted((name, int(number)) for name, number in named if name == dataset)


if __name__ == "__main__":
    main()
