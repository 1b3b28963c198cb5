"""What is not ours but served by us is what its authors have published, and says whose it is."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "static/vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())


def test_every_vendored_file_is_as_the_manifest_says():
    files = {path for path in VENDOR.rglob("*") if path.is_file()} - {VENDOR / "manifest.json"}
    sums = {
        VENDOR / name / file: digest
        for name, package in MANIFEST.items()
        for file, digest in package["sha256"].items()
    }

    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == sums


def test_every_vendored_package_comes_with_its_licence():
    for name, package in MANIFEST.items():
        assert package["license"] in (VENDOR / name / "LICENSE.txt").read_text().split()
        assert package["version"] in package["source"]
