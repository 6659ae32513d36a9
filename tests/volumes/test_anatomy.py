import dataclasses

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.organs import LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN
from attent_tf.volumes import check_anatomy

CODES = ["RAS", "LPS", "LAS", "SPL", "PIR", "ASL"]


def _mirrored(volume, world_axis):
    """The same array under an affine that claims the opposite direction along a patient axis."""
    affine = volume.affine.copy()
    affine[world_axis] *= -1
    return dataclasses.replace(volume, affine=affine)


def _only(volume, *organs):
    return dataclasses.replace(volume, labels=np.where(np.isin(volume.labels, organs), volume.labels, 0))


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("domain", ["ct", "mri"])
def test_a_patient_passes_in_every_orientation(tools, codes, domain):
    check_anatomy(tools.patient(codes, domain=domain))


@pytest.mark.parametrize("codes", CODES)
def test_a_mirrored_patient_is_reported_with_its_case(tools, codes):
    with pytest.raises(InputError, match=rf"^patient-{codes}: .*liver left of the spleen by 1\d\d mm") as caught:
        check_anatomy(_mirrored(tools.patient(codes), 0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codes", CODES)
def test_a_patient_back_to_front_is_reported(tools, codes):
    with pytest.raises(InputError, match="kidney in front of the liver"):
        check_anatomy(_mirrored(tools.patient(codes), 1))


def test_swapped_kidneys_are_reported(tools):
    volume = tools.patient("RAS")
    swap = np.array([0, LIVER, LEFT_KIDNEY, RIGHT_KIDNEY, SPLEEN], np.uint8)
    with pytest.raises(InputError, match="the right kidney left of the left one"):
        check_anatomy(dataclasses.replace(volume, labels=swap[volume.labels]))


@pytest.mark.parametrize(
    ("kidney", "named_as", "found"),
    [(RIGHT_KIDNEY, LEFT_KIDNEY, "left kidney on the liver's"), (LEFT_KIDNEY, RIGHT_KIDNEY, "right kidney on the spl")],
)
def test_one_kidney_with_the_wrong_name_is_reported(tools, kidney, named_as, found):
    volume = _only(tools.patient("RAS"), LIVER, SPLEEN, kidney)
    labels = np.where(volume.labels == kidney, named_as, volume.labels)
    with pytest.raises(InputError, match=found):
        check_anatomy(dataclasses.replace(volume, labels=labels))


@pytest.mark.parametrize(
    "organs",
    [(), (LIVER,), (SPLEEN,), (LEFT_KIDNEY,), (RIGHT_KIDNEY, LEFT_KIDNEY), (LIVER, SPLEEN), (LIVER, LEFT_KIDNEY)],
)
@pytest.mark.parametrize("domain", ["ct", "mri"])
def test_absent_organs_are_no_error(tools, organs, domain):
    check_anatomy(_only(tools.patient("LPS", domain=domain), *organs))


def test_a_liver_alone_must_be_on_the_right(tools):
    with pytest.raises(InputError, match="the liver left of the body's middle"):
        check_anatomy(_mirrored(_only(tools.patient("RAS"), LIVER), 0))


def test_kidneys_alone_must_be_behind(tools):
    with pytest.raises(InputError, match="the left kidney in front of the body's middle"):
        check_anatomy(_mirrored(_only(tools.patient("RAS"), LEFT_KIDNEY), 1))


def test_a_ct_without_kidneys_must_have_its_spine_behind(tools):
    with pytest.raises(InputError, match="bone in front of the body's middle"):
        check_anatomy(_mirrored(_only(tools.patient("RAS"), LIVER, SPLEEN), 1))


def test_without_labels_nothing_is_claimed(tools):
    check_anatomy(dataclasses.replace(_mirrored(tools.patient("RAS"), 0), labels=None))
