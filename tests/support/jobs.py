"""Preprocessing jobs of the abdomen, in short."""

from attent_tf.datasets import find_cases, read_case
from attent_tf.volumes import Volume
from beam_preprocess import PreprocessOptions
from tests.support.abdomen import ABDOMEN, DOMAINS


def abdomen_options(out, prepare=None, **given) -> PreprocessOptions:
    """Options of a job by `mri`, `ct`, `mri_dataset`, `ct_intensity` and so on; others are those of `PreprocessOptions`."""
    by_domain = {
        key: {name: given.pop(name + ending) for name in DOMAINS if given.get(name + ending) is not None}
        for key, ending in (("folders", ""), ("datasets", "_dataset"), ("intensity", "_intensity"))
    }
    rest = {key: value for key, value in given.items() if value is not None}
    if prepare is not None:
        rest["prepare"] = prepare
    return PreprocessOptions(out, ABDOMEN, **by_domain, **rest)


def volumes_by_case(options: PreprocessOptions) -> dict[str, Volume]:
    """Returns the scans of a job of both domains as they are read, by the names of their cases."""
    cases = [files for name in DOMAINS for files in find_cases(options.folders[name], ABDOMEN, name)]
    return {files.case: read_case(files) for files in cases}
