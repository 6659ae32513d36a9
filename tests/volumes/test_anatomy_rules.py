"""Each relation and reference of a rule of anatomy, on blocks whose places are known to the millimetre."""

import numpy as np
import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.tasks import AnatomyRule, task_from_mapping
from attent_tf.volumes import Volume, check_anatomy

_DOMAINS = {"site": "other", "scanner": "ct"}
_RADIOLOGICAL = ("RAS", "LPS", "SPL", "PIR", "ALI")

# [right, front, top] of the centroids in millimetres; blocks of 20 mm in a body of 200 mm, 0 in its middle.
_NEAR, _FAR = (10.0, 10.0, 10.0), (50.0, -30.0, 70.0)


def _task(rules=(), **structures):
    structures = structures or {"near": {}, "far": {}, "third": {}}
    content = {"name": "blocks", "structures": structures, "domains": _DOMAINS, "anatomy": list(rules)}
    return task_from_mapping(content, "blocks")


def _scan(tools, *places, codes="RAS", domain="site", bone=None):
    """A body with a block of each class at a place; voxels of 10 mm."""
    affine = tools.affine_of(codes, (24, 24, 24), (10.0, 10.0, 10.0))
    world = np.stack(np.indices((24, 24, 24)), axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    voxels = np.where((np.abs(world) < 100).all(axis=-1), 40.0, -1000.0).astype(np.float32)
    labels = np.zeros(voxels.shape, np.uint8)
    for index, place in enumerate(places, start=1):
        if place is not None:
            labels[(np.abs(world - place) < 10).all(axis=-1)] = index
    if bone is not None:
        voxels[(np.abs(world - bone) < 10).all(axis=-1)] = 700.0
    return Volume(voxels, affine, "blocks", _task().domain(domain), labels)


@pytest.mark.parametrize("codes", _RADIOLOGICAL)
@pytest.mark.parametrize(
    ("lies", "opposite", "mm"),
    [
        ("left_of", "right of", None),
        ("right_of", "left of", 40),
        ("in_front_of", "behind", None),
        ("behind", "in front of", 40),
        ("below", "above", None),
        ("above", "below", 60),
    ],
)
def test_a_structure_lies_where_its_rule_says(tools, codes, lies, opposite, mm):
    """The far block lies 40 mm to the right of the near one, 40 mm behind it and 60 mm above it."""
    task = _task([{"structure": "near", "lies": lies, "of": "far"}])
    scan = _scan(tools, _NEAR, _FAR, codes=codes)
    if mm is None:
        check_anatomy(scan, task)
        return
    with pytest.raises(InputError, match=rf"^blocks: .* found the near {opposite} the far by {mm} mm \(axes"):
        check_anatomy(scan, task)


def test_of_several_structures_the_middle_counts(tools):
    """Near and far lie 30 mm to the right on average: a third at 20 mm lies left of that, one at 40 mm right of it."""
    task = _task([{"structure": "third", "lies": "right_of", "of": ["near", "far"]}])
    check_anatomy(_scan(tools, _NEAR, _FAR, (40.0, 90.0, -90.0)), task)
    wrong = _scan(tools, _NEAR, _FAR, (20.0, 90.0, -90.0))
    with pytest.raises(InputError, match="the third left of the middle between the near and the far by 10 mm"):
        check_anatomy(wrong, task)
    # Without one of them there is no middle.
    check_anatomy(_scan(tools, _NEAR, None, (20.0, 90.0, -90.0)), task)


def test_the_body_is_looked_at_in_the_structures_own_slices(tools):
    """Above and below the block the body has no left half, so that its middle as a whole lies right of the block."""
    task = _task([{"structure": "near", "lies": "right_of", "of": "body"}])
    scan = _scan(tools, _NEAR)
    block = slice(12, 14)
    for others in (slice(block.start), slice(block.stop, None)):
        scan.voxels[:12, :, others] = -1000.0
    check_anatomy(scan, task)
    # In the block's own slices the body now spans from -60 to 100 mm, and its middle lies at 20.
    scan.voxels[:6, :, block] = -1000.0
    with pytest.raises(InputError, match="the near left of the body's middle by 10 mm"):
        check_anatomy(scan, task)


def test_bone_tells_front_and_back_of_a_ct_alone_unless_something_is_labelled(tools):
    rule = {"structure": "bone", "lies": "behind", "of": "body", "unless": ["far"]}
    front = (0.0, 90.0, 10.0)
    check_anatomy(_scan(tools, _NEAR, domain="scanner", bone=(0.0, -90.0, 10.0)), _task([rule]))
    with pytest.raises(InputError, match="found bone in front of the body's middle by 90 mm"):
        check_anatomy(_scan(tools, _NEAR, domain="scanner", bone=front), _task([rule]))
    check_anatomy(_scan(tools, _NEAR, domain="site", bone=front), _task([rule]))
    check_anatomy(_scan(tools, _NEAR, _FAR, domain="scanner", bone=front), _task([rule]))
    # Where nothing is labelled at its height, bone tells nothing.
    check_anatomy(_scan(tools, _NEAR, domain="scanner", bone=(0.0, 90.0, 90.0)), _task([rule]))


def test_a_structure_larger_than_any_patients_is_refused(tools):
    """A block is 2 × 2 × 2 voxels of 1 ml."""
    scan = _scan(tools, _NEAR)
    check_anatomy(scan, _task(near={"largest_ml": 8.5}))
    with pytest.raises(InputError, match=r"the near of 8 ml, where 7.5 ml are more than any patient's"):
        check_anatomy(scan, _task(near={"largest_ml": 7.5}))


def test_labels_without_rules_may_lie_anywhere(tools):
    check_anatomy(_scan(tools, _FAR, _NEAR, (-90.0, -90.0, -90.0)), _task())


@pytest.mark.parametrize("lies", ["above", "below"])
def test_nothing_lies_above_the_middle_of_its_own_slices(lies):
    with pytest.raises(ConfigError, match=f"near: expected one of right_of, .* found {lies}"):
        AnatomyRule("near", lies, ("body",))
