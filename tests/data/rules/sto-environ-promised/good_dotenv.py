import os

import modal
from dotenv import load_dotenv

load_dotenv()
app = modal.App("x")


@app.function(image=modal.Image.debian_slim(python_version="3.12").add_local_file(".env", "/root/.env"))
def f():
    return os.environ["TOKEN"]
