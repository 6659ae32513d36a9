"""What a file holds that is not NIfTI, told by its first bytes: people correct a file sooner when they know what it is."""

# Where bytes stand, the bytes in lower case, what they mean, and what to do.
_KINDS = (
    (0, b"pk\x03\x04", "a ZIP archive", "unpack it"),
    (257, b"ustar", "a tar archive", "unpack it"),
    (0, b"\x1f\x8b", "content that was compressed twice", "unpack it once"),
    (0, b"bzh", "content compressed by bzip2", "unpack it, or compress it with gzip"),
    (0, b"\xfd7zxz", "content compressed by xz", "unpack it, or compress it with gzip"),
    (0, b"\x28\xb5\x2f\xfd", "content compressed by zstd", "unpack it, or compress it with gzip"),
    (128, b"dicm", "a DICOM file", "give the folder that holds its series"),
    (344, b"ni1", "the header of a NIfTI pair (.hdr and .img)", "convert both to one file"),
    (4, b"ni2", "the header of a NIfTI pair (.hdr and .img)", "convert both to one file"),
    (0, b"nrrd", "an NRRD file", "convert it"),
    (0, b"objecttype", "a MetaImage header", "convert it"),
    (0, b"\x89hdf", "an HDF5 file", "convert it"),
    (0, b"\x89png", "a PNG picture", "give the scan itself"),
    (0, b"version https://git-lfs", "the pointer of a Git LFS file", "fetch the file itself with git lfs pull"),
    (0, b"<!doctype", "a web page", "download the file itself"),
    (0, b"<html", "a web page", "download the file itself"),
)


def found_instead(first_bytes: bytes) -> tuple[str, str]:
    """Names content that is not NIfTI.

    Args:
      first_bytes: the first bytes of the unpacked content, 512 or more unless it is shorter.

    Returns:
      What it is, and what to do about it.
    """
    if not first_bytes:
        return "an empty file", "copy or download it again"
    lowered = first_bytes.lower()
    for place, magic, kind, advice in _KINDS:
        if lowered.startswith(magic, place):
            return kind, advice
    return "other content (no NIfTI header)", "check or convert the file"
