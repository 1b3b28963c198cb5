"""The application, whose demo waits for its start as long as the tests do."""

import cli.serve
from app import create_app as create_app
from tests.installation import START_SECONDS

cli.serve.START_SECONDS = START_SECONDS
