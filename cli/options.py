"""Options that several commands share."""

import click

orientation_policy = click.option(
    "--orientation-policy",
    type=click.Choice(["strict", "trust_affine"]),
    default="strict",
    show_default=True,
    help="NIfTI files whose sform and qform codes are both 0: refuse, or trust the affine that stands there.",
)


def scan_to_file(command):
    """The options of a command that reads one scan and writes one NIfTI file."""
    for option in (
        orientation_policy,
        click.option("--out", required=True, type=click.Path(), help="NIfTI file to write (.nii or .nii.gz)."),
        click.option(
            "--input",
            "scan",
            required=True,
            type=click.Path(),
            help="NIfTI file, or folder with the DICOM slices of a series.",
        ),
    ):
        command = option(command)
    return command
