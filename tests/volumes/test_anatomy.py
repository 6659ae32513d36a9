import dataclasses
import re

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import check_anatomy
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN

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
    check_anatomy(tools.patient(codes, domain=domain), ABDOMEN)


@pytest.mark.parametrize("codes", CODES)
def test_a_mirrored_patient_is_reported_with_its_case(tools, codes):
    with pytest.raises(InputError, match=rf"^patient-{codes}: .*liver left of the spleen by 1\d\d mm") as caught:
        check_anatomy(_mirrored(tools.patient(codes), 0), ABDOMEN)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codes", CODES)
def test_a_patient_back_to_front_is_reported(tools, codes):
    with pytest.raises(InputError, match="kidney in front of the liver"):
        check_anatomy(_mirrored(tools.patient(codes), 1), ABDOMEN)


@pytest.mark.parametrize("degrees", [-30, 30])
def test_organs_of_a_sheared_scan_are_compared_in_the_patient(tools, degrees):
    """Each slice lies further back, or to the front, than the one below, as in a scan that was pushed over."""
    volume = tools.patient("SPL", shape_spl=(14, 90, 72))
    per_slice = 8.0 * np.tan(np.radians(degrees))
    rows = np.rint(np.arange(14) * per_slice / 3.5).astype(int)
    pushed = {
        name: np.stack([np.roll(plane, -by, axis=0) for plane, by in zip(getattr(volume, name), rows, strict=True)])
        for name in ("voxels", "labels")
    }
    affine = volume.affine.copy()
    affine[1, 0] = -3.5 * rows[-1] / 13
    sheared = dataclasses.replace(volume, affine=affine, **pushed)
    assert sheared.axes_mm is not None
    check_anatomy(sheared, ABDOMEN)
    # The liver lies higher than the kidneys. Without the tilt in the affine they would seem to change places.
    (found, expected) = (_broken(_mirrored(shown, 1)) for shown in (sheared, volume))
    for text, margin_mm in expected.items():
        assert found[text] == pytest.approx(margin_mm, abs=3)


def _broken(volume):
    with pytest.raises(InputError) as caught:
        check_anatomy(volume, ABDOMEN)
    return {text: float(mm) for text, mm in re.findall(r"(the [a-z ]+?) by (\d+) mm", str(caught.value))}


def test_swapped_kidneys_are_reported(tools):
    volume = tools.patient("RAS")
    swap = np.array([0, LIVER, LEFT_KIDNEY, RIGHT_KIDNEY, SPLEEN], np.uint8)
    with pytest.raises(InputError, match="the right kidney left of the left kidney"):
        check_anatomy(dataclasses.replace(volume, labels=swap[volume.labels]), ABDOMEN)


@pytest.mark.parametrize(
    ("kidney", "named_as", "found"),
    [
        (RIGHT_KIDNEY, LEFT_KIDNEY, "the left kidney right of the middle between the liver and the spleen"),
        (LEFT_KIDNEY, RIGHT_KIDNEY, "the right kidney left of the middle between the liver and the spleen"),
    ],
)
def test_one_kidney_with_the_wrong_name_is_reported(tools, kidney, named_as, found):
    volume = _only(tools.patient("RAS"), LIVER, SPLEEN, kidney)
    labels = np.where(volume.labels == kidney, named_as, volume.labels)
    with pytest.raises(InputError, match=found):
        check_anatomy(dataclasses.replace(volume, labels=labels), ABDOMEN)


@pytest.mark.parametrize(
    "organs",
    [(), (LIVER,), (SPLEEN,), (LEFT_KIDNEY,), (RIGHT_KIDNEY, LEFT_KIDNEY), (LIVER, SPLEEN), (LIVER, LEFT_KIDNEY)],
)
@pytest.mark.parametrize("domain", ["ct", "mri"])
def test_absent_organs_are_no_error(tools, organs, domain):
    check_anatomy(_only(tools.patient("LPS", domain=domain), *organs), ABDOMEN)


def test_a_liver_alone_must_be_on_the_right(tools):
    with pytest.raises(InputError, match="the liver left of the body's middle"):
        check_anatomy(_mirrored(_only(tools.patient("RAS"), LIVER), 0), ABDOMEN)


def test_kidneys_alone_must_be_behind(tools):
    with pytest.raises(InputError, match="the left kidney in front of the body's middle"):
        check_anatomy(_mirrored(_only(tools.patient("RAS"), LEFT_KIDNEY), 1), ABDOMEN)


def test_a_ct_without_kidneys_must_have_its_spine_behind(tools):
    with pytest.raises(InputError, match="bone in front of the body's middle"):
        check_anatomy(_mirrored(_only(tools.patient("RAS"), LIVER, SPLEEN), 1), ABDOMEN)


def test_without_labels_nothing_is_claimed(tools):
    check_anatomy(dataclasses.replace(_mirrored(tools.patient("RAS"), 0), labels=None), ABDOMEN)
