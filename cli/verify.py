"""`attent verify`: whether a records folder is whole."""

import click

from attent_tf.counting import counted

from . import console


@click.command()
@click.option("--records", required=True, type=click.Path(), help="Records folder (attent preprocess).")
def verify(records):
    """Check every byte and record of a records folder against its manifest.

    Lists everything that is wrong: sizes, checksums, counts, records that are not what the manifest promises, patients in
    two splits. The exit code is 1 if anything is wrong.

    \b
    Example:
      attent verify --records records
    """
    from attent_tf.data.manifest import read_manifest
    from attent_tf.data.verify import faults, strangers

    manifest = read_manifest(records, check_shards=False)
    total = sum(shard.records for shard in manifest.shards)
    found = []
    with console.progress("Verify", total, "slices") as bar:
        for fault in faults(records, manifest, bar.update):
            found.append(fault)
            console.say(str(fault))
    for name in strangers(records, manifest):
        console.say(f"Note: {name} is not in the manifest; nothing reads it")
    if found:
        count = counted(len(found), "fault")
        raise click.ClickException(f"{records}: {count}; preprocess again, or copy the folder again")
    megabytes = sum(shard.bytes for shard in manifest.shards) / 1e6
    rejected = f", {len(manifest.rejected)} set aside" if manifest.rejected else ""
    console.say(
        f"{records}: whole. {counted(len(manifest.cases), 'case')}{rejected}, {counted(total, 'slice')}, "
        f"{counted(len(manifest.shards), 'shard')}, "
        f"{megabytes:.1f} MB; no patient in two splits"
    )
