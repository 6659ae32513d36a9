"""`attent phantom`: a synthetic data set to try everything on."""

from pathlib import Path

import click

from cli.console import progress, say


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to make; absent or empty.")
@click.option(
    "--subjects", default=12, show_default=True, type=click.IntRange(min=1), help="Subjects of each modality."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Same seed, same bytes.")
def phantom(out: Path, subjects: int, seed: int):
    """Write synthetic MR and CT abdomens in the layouts of CHAOS and MALBCV.

    The subjects are procedural: no patient, no licence. MR and CT subjects are different people, as in the real task.
    Scores on the phantom say that the software works, not how well it works on patients.

    \b
    Examples:
      attent phantom --out phantom
      attent phantom --out phantom-small --subjects 2 --seed 7
    """
    from attent_tf.phantom import write_phantom

    with progress("phantom", 2 * subjects, "subjects") as bar:

        def report(name: str) -> None:
            bar.set_postfix_str(name)
            bar.update()

        write_phantom(out, subjects, seed, report)
    mri, ct = out / "chaos", out / "malbcv"
    say(f"MR in {mri}, CT in {ct}; next: attent preprocess --mri {mri} --ct {ct} --out {out.with_name('records')}")
