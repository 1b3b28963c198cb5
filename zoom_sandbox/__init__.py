"""A small web server which behaves like Zoom: for the demo and for tests, never for production."""

from zoom_sandbox.app import create_sandbox
from zoom_sandbox.settings import SandboxSettings

__all__ = ["SandboxSettings", "create_sandbox"]
