"""One S3 client for all files of a process.

Beam makes a client for each file that it lists, opens or writes. That takes a tenth of a second of a core, and a case has dozens
of files and notes.
"""

import os
import threading
from typing import Any

_OPTIONS = (
    "s3_access_key_id",
    "s3_secret_access_key",
    "s3_session_token",
    "s3_endpoint_url",
    "s3_region_name",
    "s3_api_version",
    "s3_verify",
    "s3_disable_ssl",
)
_clients: dict[tuple, Any] = {}
_lock = threading.Lock()


def share_clients() -> None:
    """Lets Beam's S3 file system take clients that this process has already, where options and environment are the same."""
    from apache_beam.io.aws.clients.s3 import boto3_client
    from apache_beam.options.pipeline_options import PipelineOptions, S3Options

    own = boto3_client.Client
    if getattr(own, "shares_clients", False):
        return

    class SharingClient(own):
        """Beam's client, which keeps what it is reading, around a connection that others use too."""

        shares_clients = True

        def __init__(self, options):
            if isinstance(options, PipelineOptions):
                view = options.view_as(S3Options)
                chosen = tuple(getattr(view, name) for name in _OPTIONS)
            else:
                chosen = tuple(options.get(name) for name in _OPTIONS)
            # A process that was forked must not talk on its parent's connections.
            environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
            key = (os.getpid(), chosen, environment)
            with _lock:
                if key not in _clients:
                    super().__init__(options)
                    _clients[key] = self.client
                self.client = _clients[key]
            self._download_request = self._download_stream = None
            self._download_pos = 0

    boto3_client.Client = SharingClient
