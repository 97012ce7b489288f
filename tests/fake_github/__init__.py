"""A GitHub of our own on loopback: its REST API with answers that its official schema accepts, and git over HTTP."""

from tests.fake_github.host import Fault, Host, Repository
from tests.fake_github.server import serve

__all__ = ["Fault", "Host", "Repository", "serve"]
