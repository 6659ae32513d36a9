"""What the peers have in common: their arguments, where they compute, how they are measured."""

import argparse
import contextlib
import dataclasses
import json
import resource
import time
from collections.abc import Callable

from attent_tf.configs import Config, load_config

try:
    import torch
except ImportError as error:
    raise SystemExit(f"PyTorch: expected it beside this library, found none ({error}); pip install torch") from None

SIZES = ("demo", "paper")
PRECISIONS = ("float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where and how a peer computes.

    Attributes:
      device: of PyTorch.
      precision: of autocast; float32 for none.
      channels_last: whether images lie in memory as ours do.
    """

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = False

    def put(self, moved):
        """Returns a network, or images [batch, channels, height, width], there."""
        return moved.to(
            self.device, memory_format=torch.channels_last if self.channels_last else torch.contiguous_format
        )

    def images(self, batch_size: int, edge: int) -> torch.Tensor:
        """Returns random images in [−1, 1]."""
        return self.put(torch.rand(batch_size, 1, edge, edge, device=self.device) * 2 - 1)

    def computing(self) -> contextlib.AbstractContextManager:
        """Networks that are called inside compute in the precision."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device, getattr(torch, self.precision))


def make_optimizer(config, *networks: torch.nn.Module) -> torch.optim.Adam:
    """Makes Adam as a configuration's `OptimizerConfig` and Keras have it, at a constant rate."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, config.learning_rate, (config.beta_1, config.beta_2), eps=1e-7)


def descend(loss: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One update."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def main(name: str, make: Callable[[Config, Place, int | None], Callable], doc: str) -> None:
    """Measures a peer as the command line asks.

    Args:
      name: of what is measured.
      make: takes the configuration, the place, and the batch size or None for the usual one; returns an object whose `run` does
        what is measured and returns a tensor, and whose `slices` is how many pass in it.
      doc: of the script.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="demo", help="configuration")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="bfloat16: by autocast")
    parser.add_argument("--batch-size", type=int, help="slices of a domain; the configuration's, or 2 for the chain")
    parser.add_argument("--steps", type=int, default=20, help="timed ones of a round")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts")
    parser.add_argument("--threads", type=int, help="all cores if not given")
    parser.add_argument("--channels-last", action="store_true", help="images lie in memory as TensorFlow's do")
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--no-tf32", action="store_true", help="on a GPU")
    parser.add_argument("--json", action="store_true", help="say it in JSON")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = not arguments.no_tf32
    torch.backends.cudnn.benchmark = True
    config = load_config(arguments.size, ["segmentation.weights=none"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    peer = make(config, Place(device, arguments.precision, arguments.channels_last), arguments.batch_size)
    run = torch.compile(peer.run) if arguments.compile else peer.run
    seconds, cpu_seconds = map(min, zip(*_rounds(run, arguments.steps, arguments.rounds, device), strict=True))
    answer = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "slices": peer.slices,
        # A device that computes nothing tells the arithmetic at once.
        "flop": _count_flop(make(config, Place("meta"), arguments.batch_size).run),
        "peak_mib": _peak_mib(device),
        "device": device,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if arguments.json:
        print(json.dumps(answer))
        return
    print(
        f"{name}, {arguments.size}, {arguments.precision}, {device}, {answer['threads']} threads, PyTorch {torch.__version__}: "
        f"{seconds * 1000:.1f} ms a step, {peer.slices / seconds:.2f} slices/s, {answer['flop'] / 1e9:.1f} GFLOP, "
        f"peak {answer['peak_mib']:.0f} MiB"
    )


def _rounds(run, steps, rounds, device):
    """Yields the seconds of a step, and those of all cores together, in each round."""
    for _ in range(5 if device == "cuda" else 2):
        _wait_for(run())
    for _ in range(rounds):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            last = run()
        _wait_for(last)
        yield (time.perf_counter() - begin) / steps, (time.process_time() - begin_cpu) / steps


def _wait_for(tensor):
    float(tensor.flatten()[0])


def _count_flop(run):
    """Arithmetic of convolutions and products of matrices, forward and backward, two a multiplication with its sum."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def _peak_mib(device):
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
