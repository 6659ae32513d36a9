"""`attent` with an oracle for a model, where files may not become larger than some bytes, as `ulimit -f` has it.

python -m tests.cli.limited BYTES WORD...
"""

import resource
import sys

import cli.deployed
from cli.main import main
from tests.inference.oracle import Oracle

if __name__ == "__main__":
    cli.deployed.open_chain = lambda run, batch_size: cli.deployed.Deployed(Oracle(), "an oracle", 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
    main()
