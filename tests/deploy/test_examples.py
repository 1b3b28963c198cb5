"""The examples for nginx and systemd are ones that nginx and systemd take."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.installation import HOST, answers, find_free_port, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOT = DEPLOY.parent


needs_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="apt-get install nginx-light")


def write_config(folder, example):
    """Write a configuration of nginx around an example, of which everything is in one folder."""
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    example = example.replace("/var/log/nginx/", f"{folder}/")
    config = folder / "nginx.conf"
    config.write_text(
        f"pid {folder}/pid; error_log {folder}/errors.log; events {{}}\n"
        f"http {{ {temporary} {example} }}"
    )
    return config


@needs_nginx
def test_nginx_takes_the_example_with_a_certificate(tmp_path):
    key, certificate = write_certificate(tmp_path)
    example = (DEPLOY / "nginx.conf").read_text()
    for name, value in {
        "/etc/ssl/uketsuke/fullchain.pem": certificate,
        "/etc/ssl/uketsuke/key.pem": key,
    }.items():
        assert name in example
        example = example.replace(name, str(value))

    command = ["nginx", "-t", "-c", write_config(tmp_path, example)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


BREAKING_SERVER = """
import sys
from cli.web_server import serve

def application(environ, start_response):
    start_response("200 OK", [])
    return write() if environ["PATH_INFO"] == "/organizer/people.csv" else [b"x"]

def write():
    yield b"a,b,c" * 1000
    raise RuntimeError("the database went away")

serve(application, host="127.0.0.1", port=int(sys.argv[1]), processes=1, threads=1)
"""


@needs_nginx
def test_nginx_passes_on_that_a_file_broke_off(tmp_path):
    """Else half of a list of people would look like a whole one."""
    port, behind = find_free_port(), find_free_port()
    example = (DEPLOY / "nginx.conf").read_text()
    for pattern, text in (
        (".*# TLS.*", ""),
        ("server_name .*;.*", f"listen {HOST}:{port};"),
        (r"server 127.0.0.1:\d+", f"server {HOST}:{behind}"),
    ):
        example = re.sub(pattern, text, example)
    config = write_config(tmp_path, example)
    server = [sys.executable, "-c", BREAKING_SERVER, str(behind)]
    nginx = ["nginx", "-c", config, "-g", "daemon off;"]
    with ending(subprocess.Popen(server, cwd=ROOT)), ending(subprocess.Popen(nginx)):
        url = f"http://{HOST}:{port}"
        wait_until(lambda: answers(url, seconds=5))

        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(f"{url}/organizer/people.csv", timeout=30)


@contextmanager
def ending(process):
    """End a process after use."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


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
