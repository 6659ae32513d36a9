"""This library against its peers in plain PyTorch: both in turn, in processes of their own, and the ratio of their times.

    python benchmarks/peers/compare.py --what translation,segmentation,chain --size demo --threads 2 --rounds 3
    python benchmarks/peers/compare.py --size paper --precision bfloat16 --steps 2
    python benchmarks/peers/compare.py --size paper --check

Networks, losses and batches are equal, as `--check` and tests/training/test_torch_peers.py hold; weights and slices are random.
The fastest round of each counts. Steps of training are those that benchmarks/train_step.py measures; the chain is that of a run
with fresh weights, on slices of 256×256. In bfloat16 its networks are made for that, which those of `attent segment` are not.
*Arithmetic* is what each library's own counter says: alike to 1 % forward, while of gradients TensorFlow's counts padded borders
as well, an eighth of a translation step and a fifteenth of a segmentation step. A ratio above 1 says that ours is faster. Needs
PyTorch, which only the peers do: `pip install torch`.
"""

import argparse
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BENCHMARKS = FOLDER.parent

WHAT = ("translation", "segmentation", "chain")

# Edge of the slices that scans are cut into.
_EDGE = 256
_CALLS_BEFORE = 2


@dataclasses.dataclass(frozen=True)
class Setting:
    """What one process measures.

    Attributes:
      what: of `WHAT`.
      size: configuration.
      precision: `float32` or `bfloat16`.
      threads: of the process.
      steps: timed ones.
      batch_size: slices at once, of the chain.
      flags: for the peer alone.
    """

    what: str
    size: str
    precision: str
    threads: int
    steps: int
    batch_size: int
    flags: tuple[str, ...] = ()

    @property
    def policy(self) -> str:
        """What the precision is called here."""
        return self.precision if self.precision == "float32" else f"mixed_{self.precision}"


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", default=",".join(WHAT))
    parser.add_argument("--size", choices=["demo", "paper"], default="demo", help="configuration")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each process")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts")
    parser.add_argument("--steps", type=int, help="timed ones of a round; 20, or 2 at paper's size")
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: of the core, for ratios of --threads 1 on a machine that does other work (several may wait busily)",
    )
    parser.add_argument("--slices", type=int, default=2, help="at once, of the chain")
    parser.add_argument("--channels-last", action="store_true", help="images of the peer lie in memory as ours do")
    parser.add_argument("--compile", action="store_true", help="the peer by torch.compile")
    parser.add_argument("--check", action="store_true", help="count the parameters of both and measure nothing")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--count", choices=["ours", "peer"], help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.one:
        print(json.dumps(_measure_chain(Setting(**json.loads(arguments.one)))))
        return
    if arguments.count:
        print(json.dumps({"ours": count_ours, "peer": count_peer}[arguments.count](arguments.size)))
        return
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("compare.py: expected PyTorch beside this library, found none; pip install torch")
    if arguments.check:
        _check(arguments.size)
        return
    print("| what | size | precision | threads | ours | PyTorch | ratio | arithmetic of ours | of PyTorch's |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|", flush=True)
    flags = ["--channels-last"] * arguments.channels_last + ["--compile"] * arguments.compile
    for measured in arguments.what.split(","):
        if measured not in WHAT:
            raise SystemExit(f"compare.py: --what: expected some of {','.join(WHAT)}, found {measured!r}")
        steps = arguments.steps or (2 if arguments.size == "paper" else 20)
        setting = Setting(
            measured, arguments.size, arguments.precision, arguments.threads, steps, arguments.slices, tuple(flags)
        )
        print(_row(setting, arguments.rounds, {"wall": "seconds", "cpu": "cpu_seconds"}[arguments.clock]), flush=True)


def _row(setting, rounds, clock):
    ours, theirs = [], []
    # They take turns, so that a machine that slows down slows both.
    for _ in range(rounds):
        ours.append(_answer(_our_command(setting), setting.threads))
        theirs.append(_answer(_peer_command(setting), setting.threads))
    best, best_of_peer = (min(answers, key=lambda answer: answer[clock]) for answers in (ours, theirs))
    head = f"| {setting.what} | {setting.size} | {setting.precision} | {setting.threads} |"
    times = " | ".join(_time(setting, answer[clock]) for answer in (best, best_of_peer))
    arithmetic = " | ".join(
        f"{answer['flop'] / 1e9:.1f} GFLOP" if answer["flop"] else "" for answer in (best, best_of_peer)
    )
    return f"{head} {times} | {best_of_peer[clock] / best[clock]:.2f} | {arithmetic} |"


def _time(setting, seconds):
    return f"{setting.batch_size / seconds:.1f} slices/s" if setting.what == "chain" else f"{seconds * 1000:.0f} ms"


def _our_command(setting):
    if setting.what == "chain":
        return [__file__, "--one", json.dumps(dataclasses.asdict(setting))]
    asked = {"size": setting.size, "stage": setting.what, "steps": setting.steps, "precision": setting.policy}
    return [str(BENCHMARKS / "train_step.py"), "--one", json.dumps(asked)]


def _peer_command(setting):
    words = ["--size", setting.size, "--precision", setting.precision, "--steps", setting.steps, "--rounds", 1]
    words += ["--threads", setting.threads, "--json", *setting.flags]
    words += ["--batch-size", setting.batch_size] if setting.what == "chain" else []
    return [str(FOLDER / f"torch_{setting.what}.py"), *map(str, words)]


def _answer(command, threads=None):
    """Runs a script in a process of its own, with so many threads, and returns the last line of what it says."""
    limits = {}
    if threads:
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        # As many operations at once as there are threads, as TensorFlow does by itself.
        limits = dict.fromkeys(names, str(threads))
    path = os.pathsep.join(filter(None, [str(BENCHMARKS.parent), str(BENCHMARKS), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", **limits}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def _measure_chain(setting):
    """Seconds of a batch through the chain of a run with fresh weights, in this process."""
    import tensorflow as tf
    from segment import write_fresh_run

    from attent_tf.inference.chain import load_chain
    from attent_tf.runs import load_run
    from attent_tf.training.precision import computing_in

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        write_fresh_run(folder, setting.size)
        with computing_in(setting.policy):
            chain = load_chain(load_run(folder))
    images = tf.random.uniform((setting.batch_size, _EDGE, _EDGE, 1), -1, 1)
    for _ in range(_CALLS_BEFORE):
        chain(images).entropy.numpy()
    begin, begin_cpu = time.perf_counter(), time.process_time()
    for _ in range(setting.steps):
        chain(images).entropy.numpy()
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    return {"seconds": seconds / setting.steps, "cpu_seconds": cpu_seconds / setting.steps, "flop": None}


def _check(size):
    counts = [_answer([__file__, "--count", whose, "--size", size]) for whose in ("ours", "peer")]
    print("| network | size | parameters of ours | of PyTorch's |")
    print("|---|---|---:|---:|")
    for network in counts[0]:
        print(f"| {network} | {size} | " + " | ".join(f"{count[network]:,}" for count in counts) + " |")
    if counts[0] != counts[1]:
        raise SystemExit(f"compare.py: --size {size}: expected equal numbers of parameters; mend torch_networks.py")


def count_ours(size):
    """The number of trained parameters of each network."""
    import tensorflow as tf

    from attent_tf.configs import load_config
    from attent_tf.runs import configured
    from attent_tf.tasks import load_task

    config, classes, edge = load_config(size, ["segmentation.weights=none"]), load_task().num_classes, 64
    counts = {}
    for name in ("gated_generator", "patch_discriminator", "segmentor", "map_discriminator"):
        network = getattr(configured, name)(config, classes, 1, name)
        network(tf.zeros((1, edge, edge, 1)))
        counts[name] = sum(tf.size(weight).numpy().item() for weight in network.trainable_variables)
    return counts


def count_peer(size):
    from torch_networks import Generator, Segmentor, count_parameters, map_discriminator, patch_discriminator

    from attent_tf.configs import load_config
    from attent_tf.tasks import load_task

    config = load_config(size, ["segmentation.weights=none"])
    networks = {
        "gated_generator": Generator(config.translation),
        "patch_discriminator": patch_discriminator(config.translation),
        "segmentor": Segmentor(config.segmentation, load_task().num_classes),
        "map_discriminator": map_discriminator(config.segmentation, 1),
    }
    return {name: count_parameters(network) for name, network in networks.items()}


if __name__ == "__main__":
    main()
