"""The examples for nginx and systemd are ones that nginx and systemd take."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOT = DEPLOY.parent


@pytest.mark.skipif(not shutil.which("nginx"), reason="apt-get install nginx-light")
def test_nginx_takes_the_example_with_a_certificate(tmp_path):
    key, certificate = write_certificate(tmp_path)
    example = (DEPLOY / "nginx.conf").read_text()
    for name, value in {
        "/etc/ssl/uketsuke/fullchain.pem": certificate,
        "/etc/ssl/uketsuke/key.pem": key,
        "/var/log/nginx/": f"{tmp_path}/",
    }.items():
        assert name in example
        example = example.replace(name, str(value))
    config = tmp_path / "nginx.conf"
    temporary = "\n".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/errors.log; events {{}}\n"
        f"http {{ {temporary} {example} }}"
    )

    done = subprocess.run(["nginx", "-t", "-c", config], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.mark.parametrize(
    "path", ["/s/token", "/j/token", "/r/token/cancel", "/organizer/enter/token"]
)
def test_nginx_logs_nothing_that_opens_a_page(path):
    [pattern] = re.findall(r'"~(\^[^"]+)"', (DEPLOY / "nginx.conf").read_text())
    # nginx names groups as PCRE does.
    shown = re.match(pattern.replace("(?<", "(?P<"), path)

    assert shown is not None and "token" not in shown.group()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is missing")
def test_systemd_takes_the_units(tmp_path):
    units = []
    for source in sorted(DEPLOY.glob("uketsuke-*")):
        unit = tmp_path / source.name
        flask = f"{tmp_path}/flask"
        text = source.read_text().replace("/srv/uketsuke/.venv/bin/flask", flask)
        unit.write_text(text.replace("/srv/uketsuke", str(ROOT)))
        units.append(str(unit).replace("@.", "@8001."))
    (tmp_path / "flask").symlink_to("/bin/true")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )

    ours = [line for line in done.stderr.splitlines() if "uketsuke" in line]
    assert len(units) == 4
    assert (done.returncode, ours) == (0, [])


def write_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "events.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "key.pem", folder / "certificate.pem"
