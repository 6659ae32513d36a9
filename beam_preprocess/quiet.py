"""Beam without what it writes to standard error."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from attent_tf.errors import AttentError


@contextlib.contextmanager
def beam_kept_quiet() -> Iterator[None]:
    """Keeps what Beam, its worker processes and gRPC write to standard error; shows it if something fails unforeseen.

    Beam logs every error several times with its traceback, and worker processes do so whatever their parent's settings.
    """
    # When this program ends, after its last word, Beam tells that it ends the job server.
    logging.getLogger("apache_beam.utils.subprocess_server").setLevel(logging.ERROR)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except (AttentError, KeyboardInterrupt):
            raise
        except BaseException:
            sys.stderr.flush()
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
