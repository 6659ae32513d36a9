"""What a GPU makes of this library: a Markdown table of training steps and one of `attent segment`, in a quarter of an hour.

    python benchmarks/gpu.py --out gpu.md
    python benchmarks/gpu.py --sizes paper --stages translation --seconds 120 --out paper.md

Every size of every stage is measured in a process of its own, which has `--seconds` for all its rows: what did not finish is
missing, what failed says why. A row is one setting: precision, XLA, batch. `float32` is what TensorFlow computes by itself,
with products in TF32 where the card has it. *Arithmetic* is what TensorFlow's profiler counts of a step, *of the product*
its share of what the card reaches in a product of two 8192×8192 matrices of the same precision, which is measured first.
Memory is the most that TensorFlow's allocator gave out at a time. The rows of XLA are the last, since it takes long to
compile.

Without a GPU it measures the processor, for a look at whether the script runs (`--sizes demo`).
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import train_step

FOLDER = Path(__file__).resolve().parent

BATCHES = {"translation": (1, 8), "segmentation": (8, 32)}

PHASES = ("reading", "preparing", "network", "resampling", "writing")


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting of a size and a stage."""

    precision: str
    batch_size: int
    jit: bool = False
    tf32: bool = True

    def name(self) -> str:
        return self.precision if self.tf32 else f"{self.precision}, no TF32"


def rows_of(stage: str, half: bool) -> list[Row]:
    """Returns the rows of a stage, the most telling first; `half`: with float16, which processors do slowly."""
    usual, large = BATCHES[stage]
    rows = [Row("float32", usual), Row("mixed_bfloat16", usual)]
    rows += [Row("mixed_float16", usual)] if half else []
    rows += [Row("mixed_bfloat16", large), Row("float32", usual, tf32=False)]
    compiled = [Row("mixed_bfloat16", usual, jit=True), Row("mixed_bfloat16", large, jit=True)]
    return [*rows, *compiled, Row("float32", usual, jit=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="demo,paper", help="configurations")
    parser.add_argument("--stages", default=",".join(train_step.STAGES))
    parser.add_argument("--steps", type=int, default=30, help="timed steps of each row")
    parser.add_argument("--seconds", type=float, default=300.0, help="for all rows of a size of a stage")
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 140), help="of the CT that is segmented")
    parser.add_argument("--no-segment", action="store_true", help="training steps alone")
    parser.add_argument("--out", type=Path, help="file that the tables are written to as well")
    parser.add_argument("--group", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.group:
        _measure_group(*json.loads(arguments.group))
        return
    out = arguments.out.open("w", encoding="utf-8") if arguments.out else None

    def say(line=""):
        for stream in filter(None, (sys.stdout, out)):
            print(line, file=stream, flush=True)

    card = _run_group(["products"], arguments.seconds, lambda answer: None)
    reached = card[0] if card else {}
    say(_card_line(reached))
    say("\n| size | stage | precision | XLA | batch | step | images/s | arithmetic | of the product | memory |")
    say("|---|---|---|---|---:|---:|---:|---:|---:|---:|")
    for size in filter(None, arguments.sizes.split(",")):
        for stage in filter(None, arguments.stages.split(",")):
            group = [size, stage, arguments.steps]
            _run_group(group, arguments.seconds, lambda row, s=size, t=stage: say(_table_line(s, t, row, reached)))
    if not arguments.no_segment:
        _segment(arguments, say)


def _run_group(group, seconds, hear):
    """Runs a group in a process of its own and hears each line of its answer; returns all of them."""
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent) + os.pathsep + os.environ.get("PYTHONPATH", "")}
    command = [sys.executable, __file__, "--group", json.dumps(group)]
    answers = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        watch = threading.Timer(seconds, process.kill)
        watch.start()
        for line in process.stdout:
            if line.startswith("{"):
                answers.append(json.loads(line))
                hear(answers[-1])
        watch.cancel()
    return answers


def _measure_group(first, *others):
    """What a process of its own does: the products of matrices, or all rows of a size of a stage."""
    import tensorflow as tf

    if first == "products":
        print(json.dumps(_products(tf)), flush=True)
        return
    stage, steps = others
    gpus = tf.config.list_physical_devices("GPU")
    flop_of_an_image = None
    for row in rows_of(stage, half=bool(gpus)):
        tf.config.experimental.enable_tensor_float_32_execution(row.tf32)
        setting = train_step.Setting(
            first, stage, steps, precision=row.precision, jit=row.jit, batch_size=row.batch_size
        )
        answer = {"row": dataclasses.asdict(row)}
        if gpus:
            tf.config.experimental.reset_memory_stats("GPU:0")
        begin = time.perf_counter()
        try:
            result = train_step.measure(setting, with_flop=flop_of_an_image is None)
        except Exception as error:  # One row that fails, for want of memory or of a compiler, leaves the others.
            print(
                json.dumps({**answer, "failed": " ".join(f"{type(error).__name__}: {error}".split())[:300]}), flush=True
            )
            continue
        if result["flop"]:
            flop_of_an_image = result["flop"] / result["images"]
        result["flop"] = flop_of_an_image and flop_of_an_image * result["images"]
        answer |= {**result, "took": time.perf_counter() - begin}
        print(json.dumps(answer), flush=True)
        tf.keras.backend.clear_session()


def _products(tf, side=8192, repeats=20):
    """FLOP/s of a product of two square matrices by precision, and the card."""
    gpus = tf.config.list_physical_devices("GPU")
    side = side if gpus else 2048
    found = {"card": tf.config.experimental.get_device_details(gpus[0]).get("device_name") if gpus else None}
    for name, dtype, tf32 in (
        ("float32", tf.float32, True),
        ("float32, no TF32", tf.float32, False),
        ("mixed_bfloat16", tf.bfloat16, True),
        *((("mixed_float16", tf.float16, True),) if gpus else ()),
    ):
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
        left, right = (tf.cast(tf.random.normal((side, side)), dtype) for _ in range(2))
        multiply = tf.function(lambda a, b: tf.matmul(a, b))
        float(tf.reduce_sum(multiply(left, right)))
        begin = time.perf_counter()
        for _ in range(repeats):
            last = multiply(left, right)
        float(last[0, 0])
        found[name] = 2 * side**3 * repeats / (time.perf_counter() - begin)
    return found


def _card_line(reached):
    rates = ", ".join(f"{name} {rate / 1e12:.1f}" for name, rate in reached.items() if name != "card")
    return f"{reached.get('card') or 'no GPU'}; a product of matrices reaches in TFLOP/s: {rates or 'not measured'}"


def _table_line(size, stage, answer, reached):
    row = Row(**answer["row"])
    head = f"| {size} | {stage} | {row.name()} | {'yes' if row.jit else 'no'} | {row.batch_size} |"
    if "failed" in answer:
        return f"{head} {answer['failed']} | | | | |"
    seconds, flop, product = answer["seconds"], answer["flop"], reached.get(row.name())
    share = f"{flop / seconds / product:.0%}" if flop and product else ""
    arithmetic = f"{flop / 1e9:.0f} GFLOP" if flop else ""
    return (
        f"{head} {seconds * 1000:.1f} ms | {answer['images'] / seconds:.0f} | {arithmetic} | {share} "
        f"| {answer['peak_mib']:.0f} MiB |"
    )


def _segment(arguments, say):
    import segment

    say("\n`attent segment`, fresh weights, seconds:\n")
    say("| size | " + " | ".join(PHASES) + " | slices/s, network | starting | command |")
    say("|---|" + "---:|" * (len(PHASES) + 3))
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        scan = place / "ct.nii.gz"
        segment.write_ct(scan, tuple(arguments.shape))
        for size in filter(None, arguments.sizes.split(",")):
            # A process of its own, so that TensorFlow gives the card's memory back.
            run = place / Path(size).stem
            code = f"from pathlib import Path; import segment; segment.write_fresh_run(Path({str(run)!r}), {size!r})"
            path = os.pathsep.join(map(str, (FOLDER, FOLDER.parent, os.environ.get("PYTHONPATH", ""))))
            subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})
            report, seconds, _ = segment.measured(run, scan, place, [])
            spent = report["scans"][0]["seconds"]
            cells = [f"{spent[phase]:.2f}" for phase in PHASES] + [f"{arguments.shape[2] / spent['network']:.0f}"]
            say(f"| {size} | " + " | ".join(cells) + f" | {report['seconds']['starting']:.2f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
