from pack.deploy.worker import go
from pack.app import app

__all__ = ["app", "go"]
