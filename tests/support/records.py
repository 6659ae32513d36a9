"""Entries of a manifest for cases that a test made itself."""

from attent_tf.data.manifest import ManifestCase, shard_name


def manifest_case(case: str, domain: str, prepared) -> ManifestCase:
    """Returns the entry of a prepared case that trains and keeps all of its slices."""
    return ManifestCase(
        case=case,
        patient=case,
        domain=domain,
        dataset="nifti",
        split="train",
        labelled=prepared.labels is not None,
        slices=len(prepared.images),
        slice_count=len(prepared.images),
        uses_labels_for_selection=False,
        sha256="0" * 64,
        shard=shard_name(0, 1),
        geometry=prepared.geometry,
    )
