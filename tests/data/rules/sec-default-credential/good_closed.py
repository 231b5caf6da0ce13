import os
import secrets

import modal

TOKEN = os.environ.get("JUPYTER_TOKEN", "") or secrets.token_urlsafe(16)
PAD_TOKEN = "<pad>"
app = modal.App("a")


@app.function()
@modal.fastapi_endpoint()
def web():
    return os.environ.get("API_KEY")
