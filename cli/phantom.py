"""`attent phantom`: a synthetic data set to try everything on."""

from pathlib import Path

import click

from .console import progress, say


@click.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder to make; it must be absent or empty."
)
@click.option(
    "--task",
    type=click.Choice(["abdomen", "shapes"]),
    default="abdomen",
    show_default=True,
    help="shapes: two bright structures and a dark one in two made-up contrasts, small and quick.",
)
@click.option("--subjects", default=12, show_default=True, type=click.IntRange(min=1), help="Subjects of each domain.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Same seed, same bytes on the same kind of processor.",
)
def phantom(out: Path, task: str, subjects: int, seed: int):
    """Write synthetic MR and CT abdomens in the layouts of CHAOS and MALBCV, or scans of another task.

    The subjects are generated: there is no patient and no licence. Subjects of both domains are different people, as in
    the real task. Scores on the phantom say that the software works, not how well it works on patients.

    \b
    Examples:
      attent phantom --out phantom
      attent phantom --out phantom-small --subjects 2 --seed 7
      attent phantom --task shapes --out shapes
    """
    from attent_tf.phantom import write_phantom, write_shapes

    with progress("phantom", 2 * subjects, "subjects") as bar:

        def report(name: str) -> None:
            bar.set_postfix_str(name)
            bar.update()

        (write_phantom if task == "abdomen" else write_shapes)(out, subjects, seed, report)
    records = out.with_name("records")
    if task == "abdomen":
        mri, ct = out / "chaos", out / "malbcv"
        say(f"MR in {mri}, CT in {ct}; next: attent preprocess --mri {mri} --ct {ct} --out {records}")
    else:
        folders = f"--domain t1={out / 't1'} --domain t2={out / 't2'}"
        say(f"t1 and t2 in {out}; next: attent preprocess --task shapes {folders} --split ratio --out {records}")
