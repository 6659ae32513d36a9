"""Preprocessing jobs of the abdomen, in short."""

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
