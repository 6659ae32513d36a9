"""Methods are the rows of the paper's tables."""

import pytest

from attent_tf.errors import ConfigError
from attent_tf.methods import METHODS, get_domains, get_method


def test_attent_is_the_pixel_and_the_entropy_method_together():
    attent = get_method("attent")
    assert attent.translator == get_method("pixel").translator == "attention_cyclegan"
    assert attent.aligner == get_method("entropy").aligner == "entropy"


def test_only_the_upper_bound_sees_target_labels():
    assert [m.id for m in METHODS.values() if m.labels == "target"] == ["supervised"]


def test_the_lower_bound_neither_translates_nor_aligns():
    assert (get_method("source_only").translator, get_method("source_only").aligner) == (None, None)


def test_unknown_names_get_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'attent'"):
        get_method("atent")
    with pytest.raises(ConfigError, match="mri2ct, ct2mri"):
        get_domains("ct2mr")


def test_directions_name_source_and_target():
    assert get_domains("mri2ct") == ("mri", "ct")
    assert get_domains("ct2mri") == ("ct", "mri")
