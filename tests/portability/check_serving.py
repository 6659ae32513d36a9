"""A hundred scans from eight clients to a server that fails: what becomes of them, how fast, and in how much memory.

Run: make check-serving
For REST and gRPC, each without a fault, then with all of them (a server killed twice, slow answers, 503s, answers cut short), and
then over TLS with certificates and a token. The server runs no network (`tests/serving/banded.py`), so that the figures are of
clients and transport alone. Ends with 1 if a scan is neither right nor told in one line.
"""

import os
import sys
import tempfile
from pathlib import Path

import trustme

from attent_tf.serving.credentials import TOKEN_VARIABLE
from tests.serving.load import Load, run_load

_SCANS, _CLIENTS = 100, 8
_FAULTS = {"busy": 7, "cut": 31, "slow": 11, "slow_s": 1.0}


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings, words = _secured(folder)
        loads = [
            (f"{kind}, {title}", Load(kind, _SCANS, _CLIENTS, **changes))
            for kind in ("rest", "grpc")
            for title, changes in (
                ("no fault", {}),
                ("all faults", {"settings": _FAULTS, "outages": (20, 50), "outage_s": 2.0}),
                ("TLS and token", {"settings": settings, "words": words}),
            )
        ]
        print(f"{'':22} {'right':>6} {'told':>6} {'seconds':>8} {'client MB':>10} {'server MB':>10}")
        for title, load in loads:
            place = folder / title.replace(", ", "-").replace(" ", "-")
            place.mkdir()
            found = run_load(place, load)
            print(
                f"{title:22} {len(found.right):6d} {len(found.told):6d} {found.seconds:8.0f} {found.client_mb:10.0f} "
                f"{found.server_mb:10.0f}",
                flush=True,
            )
            for line in sorted({line.partition(": expected")[2] for line in found.told.values()}):
                print(f"    expected{line}", flush=True)
    return 0


def _secured(folder: Path) -> tuple[dict, tuple[str, ...]]:
    """Returns settings of a server that asks for a certificate and a token, and the clients' options."""
    authority, paths = trustme.CA(), {}
    paths["ca"] = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(paths["ca"]))
    for whose, host in (("server", "127.0.0.1"), ("client", "clinic.example")):
        paths[whose] = folder / f"{whose}.pem"
        authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(str(paths[whose]))
    os.environ.pop(TOKEN_VARIABLE, None)
    (folder / "token").write_text("of-the-ward\n")
    server = {"certificate": str(paths["server"]), "key": str(paths["server"]), "client_ca": str(paths["ca"])}
    options = {"--server-ca": paths["ca"], "--client-certificate": paths["client"], "--token-file": folder / "token"}
    return server | {"token": "of-the-ward"}, tuple(str(word) for pair in options.items() for word in pair)


if __name__ == "__main__":
    sys.exit(main())
