"""Where the time of a training step on a processor goes, against what its cores reach in a product of matrices.

    python benchmarks/roofline.py --threads 1 --largest 10

Each stage is trained on one fixed batch in processes of its own, once for its time and once while oneDNN, which computes the
convolutions, says how long each took. *Of the product* is the arithmetic of a step over its time and over the rate that as many
threads reach in a product of two 2048×2048 matrices. Times are those of the cores, so that other work on the machine counts
little; the fastest of `--rounds` counts. The *rest* is what is neither convolution nor another of oneDNN's primitives: paddings,
sums, resizing, losses, updates of weights.
"""

import argparse
import collections
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import train_step

FOLDER = Path(__file__).resolve().parent

# oneDNN's name of what a convolution is computed for -> ours.
_PASSES = {
    "forward_training": "forward",
    "forward_inference": "forward",
    "backward_data": "gradient of the input",
    "backward_weights": "gradient of the kernel",
}

_STEPS = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=["demo", "paper", "recommended"], default="demo", help="configuration")
    parser.add_argument("--stages", default=",".join(train_step.STAGES))
    parser.add_argument("--precision", choices=["float32", "mixed_bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--plain", action="store_true", help="what processors do in a way of their own, in the plain form"
    )
    parser.add_argument("--largest", type=int, default=0, help="list so many of the convolutions that take longest")
    parser.add_argument("--product", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.product:
        print(json.dumps(measure_product(arguments.product)))
        return
    answers = [_run([__file__, "--product", arguments.precision], arguments.threads) for _ in range(arguments.rounds)]
    rate = max(json.loads(answer.splitlines()[-1]) for answer in answers)
    print(f"A product of matrices reaches {rate / 1e9:.0f} GFLOP/s.\n", flush=True)
    print("| stage | arithmetic | time of the cores | of the product | convolutions | other primitives | rest |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for stage in arguments.stages.split(","):
        plain = tuple(train_step.PLAIN) if arguments.plain else ()
        setting = train_step.Setting(arguments.size, stage, _STEPS, precision=arguments.precision, plain=plain)
        _measure_stage(setting, rate, arguments)


def _measure_stage(setting, rate, arguments):
    command = [str(FOLDER / "train_step.py"), "--one", json.dumps(dataclasses.asdict(setting))]
    rounds = [json.loads(_run(command, arguments.threads).splitlines()[-1]) for _ in range(arguments.rounds)]
    best = min(rounds, key=lambda result: result["cpu_seconds"])
    *said, answer = _run(command, arguments.threads, ONEDNN_VERBOSE="1").splitlines()
    executed = [line for line in said if line.startswith("onednn_verbose") and ",exec," in line]
    # Of all steps the last ones are timed. Shares are of the clock on the wall, which oneDNN looks at, in the same process.
    spent = spent_in_primitives(executed[-len(executed) * _STEPS // train_step.steps_run(setting) :])
    whole = json.loads(answer)["seconds"] * _STEPS
    convolutions = sum(seconds for (primitive, *_), seconds in spent.items() if primitive == "convolution") / whole
    others = sum(spent.values()) / whole - convolutions
    seconds, flop = best["cpu_seconds"], best["flop"]
    print(
        f"| {setting.stage} | {flop / 1e9:.1f} GFLOP | {seconds * 1000:.0f} ms | {flop / seconds / rate * arguments.threads:.0%} "
        f"| {convolutions:.0%} | {others:.0%} | {1 - convolutions - others:.0%} |",
        flush=True,
    )
    for (_, direction, problem), taken in spent.most_common(arguments.largest):
        print(f"    {taken / whole:6.1%}  {_PASSES.get(direction, direction)}: {problem}")


def spent_in_primitives(lines: list[str]) -> collections.Counter:
    """Returns (primitive, direction, problem) -> seconds, out of what oneDNN says of what it executed (`ONEDNN_VERBOSE=1`)."""
    spent: collections.Counter = collections.Counter()
    for line in lines:
        fields = line.split(",")
        primitive, _, direction = fields[fields.index("exec") + 2 :][:3]
        spent[primitive, direction, fields[-2]] += float(fields[-1]) / 1000
    return spent


def measure_product(precision: str, side: int = 2048, repeats: int = 10) -> float:
    """Returns FLOP a second of a product of two square matrices."""
    import tensorflow as tf

    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    left, right = (tf.cast(tf.random.stateless_normal((side, side), (0, i)), dtype) for i in range(2))
    multiply = tf.function(tf.matmul)
    float(multiply(left, right)[0, 0])
    rates = []
    for _ in range(repeats):
        # The wall's clock: threads that wait for each other are no arithmetic. The fastest of many is that of free cores.
        begin = time.perf_counter()
        float(multiply(left, right)[0, 0])
        rates.append(2 * side**3 / (time.perf_counter() - begin))
    return max(rates)


def _run(command, threads, **environment):
    threads = {f"TF_NUM_{kind}_THREADS": str(count) for kind, count in (("INTRAOP", threads), ("INTEROP", 1))}
    environment = {
        **os.environ,
        "PYTHONPATH": str(FOLDER.parent),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **threads,
        **environment,
    }
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return done.stdout


if __name__ == "__main__":
    main()
