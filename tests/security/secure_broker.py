"""The broker of examples/secure/ on free ports, and the certificates of those who use it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.broker import Broker, unused_port
from tests.support.repository import ROOT, run

__all__ = ["SecureBroker"]

_EXAMPLE = ROOT / "examples" / "secure"
_PORTS = {"core": 8883, "plugin": 8884, "operator": 8885}


class SecureBroker(Broker):
    """A mosquitto configured as the example says, with certificates of its own.

    Only the ports differ, the address, and the user of the operating system.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare it; `folder` takes its certificates and has to exist."""
        super().__init__(folder)
        self.certificates = folder / "certificates"
        self.ports = {role: unused_port() for role in _PORTS}
        self.certify("broker", "localhost")
        # The broker needs the authorities of all.
        self.certify("core", "nobody")
        self.certify("plugin", "anybody")
        self.certify("operator", "somebody")

    @property
    def example(self) -> str:
        """Text of the example's configuration."""
        return (_EXAMPLE / "mosquitto.conf").read_text()

    def certify(self, kind: str, name: str) -> None:
        """Make a certificate, unless it is there."""
        if not (self.certificates / kind / f"{name}.pem").exists():
            run([_EXAMPLE / "certify", kind, name], environment={"CERTIFICATES": str(self.certificates)})

    def url_of(self, role: str, name: str, *, at: str | None = None) -> str:
        """Return the URL with which a user of a role connects, by default `at` the listener of the role."""
        self.certify(role, name)
        folder = self.certificates
        return (
            f"mqtts://localhost:{self.ports[at or role]}?authority={folder}/authorities/broker.pem"
            f"&certificate={folder}/{role}/{name}.pem&key={folder}/{role}/{name}.key"
        )

    def adapted(self, text: str) -> str:
        """Return what speaks of the example's ports and files with those of this broker."""
        for role, port in _PORTS.items():
            text = text.replace(f"localhost:{port}", f"localhost:{self.ports[role]}")
            text = re.sub(rf"^listener {port}$", f"listener {self.ports[role]} {self.host}", text, flags=re.MULTILINE)
        text = re.sub(r"(?<![\w/])certificates/", f"{self.certificates}/", text)
        return text.replace("acl_file ", f"acl_file {ROOT}/")

    def _configuration(self) -> str:
        example = self.adapted(self.example)
        assert example.count(str(self.certificates)) == 9
        assert all(f"\nlistener {port} {self.host}\n" in example for port in self.ports.values())
        # Where the tests run as root, it would become somebody who cannot read the keys.
        return f"per_listener_settings true\nlog_dest stderr\nlog_type all\nuser root\n{example}"
