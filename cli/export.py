"""`attent export`: the deployed chain as a SavedModel for TensorFlow Serving."""

import click

from attent_tf.runtime import start_quietly


@click.command()
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=click.Path(),
    help="Trained run folder (attent train), or a package.",
)
@click.option("--out", required=True, type=click.Path(), help="The model's folder, such as models/attent.")
@click.option(
    "--version",
    type=int,
    help="Number of the version; without it, the next free one. Existing versions are never replaced.",
)
@click.option(
    "--optimize",
    is_flag=False,
    flag_value="float32",
    type=click.Choice(["float32", "float16"]),
    help="Fold batch norms and make the weights constants. float32 if no type is given; float16 halves the file. "
    "Measures what this changes.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["saved-model", "onnx"]),
    default="saved-model",
    show_default=True,
    help="What to write: for TensorFlow Serving, or an ONNX file in a MONAI bundle (pip install attent-tf[onnx]).",
)
@click.option(
    "--evaluation",
    type=click.Path(),
    help="Evaluation folder for the model card; without it, RUN/evaluation if that exists.",
)
def export(run_folder, out, version, optimize, kind, evaluation):
    """Write the deployed chain as a SavedModel, one version of a model for TensorFlow Serving, or as an ONNX file.

    The signature `serving_default` takes `image` [batch, 256, 256, 1] float32 in [-1, 1], prepared like the training
    records, and gives `probabilities` and `labels`; `raw` takes raw intensities and their window; `translate` and `entropy`
    show the steps in between. `metadata.json` beside the model says what scans it takes, and how they are prepared.

    \b
    Examples:
      attent export --run runs/attent --out models/attent
      attent export --run runs/attent --out models/attent --version 2 --optimize float16
      attent export --run runs/attent --out models/attent_onnx --format onnx
    """
    from attent_tf.export.versions import version_folder
    from attent_tf.runs import load_run

    if kind == "onnx" and optimize:
        raise click.UsageError("--optimize goes with --format saved-model.")
    run = load_run(run_folder)
    # Before the seconds that TensorFlow needs.
    version_folder(out, version)
    start_quietly()
    if kind == "onnx":
        from attent_tf.export.onnx_model import export_onnx

        exported = export_onnx(run, out, version, evaluation)
        made = exported.metadata["onnx"]
        click.echo(
            f"ONNX, opset {made['opset']}: answers differ from TensorFlow's by at most {made['largest_difference']:.2g}"
        )
    else:
        from attent_tf.export.saved_model import export_chain

        exported = export_chain(run, out, version, optimize, evaluation)
    for line in _changes(exported.metadata["optimization"]):
        click.echo(line)
    click.echo(f"Wrote {exported.folder}: {run.method.id}, {run.direction}")


def _changes(found):
    if found:
        yield (
            f"Optimised, on {found['slices']} {found['sample']} slices: probabilities changed by at most "
            f"{found['largest_change_of_a_probability']:.2g}, {found['share_of_pixels_with_another_label']:.3%} of the pixels "
            f"changed their label"
        )
        yield (
            f"  {found['seconds_plain']:.3f} s before, {found['seconds_optimized']:.3f} s after on this machine "
            f"({found['speedup']:.2f} times as fast)"
        )
