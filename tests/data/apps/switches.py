import os

import modal

FAST = os.environ.get("FAST", "0") == "1"
DEBUG = os.getenv("DEBUG", "false").lower() in ("1", "true")
TIER = os.environ.get("TIER", "small").lower()
SIZES = {"small": "L4", "large": "H100:8"}
COUNT = int(os.getenv("COUNT", 2))
TOKEN = os.environ.get("TOKEN") or None


def flag(name, default="no"):
    return os.environ.get(name, default) == "yes"


def pick():
    if flag("BIG"):
        return "B200"
    return "A10G"


suffix = ""
if os.environ.get("STAGE") == "test":
    suffix += "-test"

if "CHEAP" in os.environ:
    card = "T4"
elif FAST:
    card = "H200"
else:
    card = "L40S"

image = modal.Image.debian_slim(python_version="3.12")
if modal.is_local():
    image = image.pip_install("local")
else:
    image = None
if not TOKEN:
    image = image.env({"ANONYMOUS": "1"})

app = modal.App("switches" + suffix, image=image)


@app.function(gpu="H100" if FAST else "L4", timeout=60 if DEBUG else 3600)
def either():
    pass


@app.function(gpu=SIZES.get(TIER, "L4"), cpu=8 if flag("WIDE") else 2)
def table():
    pass


@app.function(gpu=pick(), memory=1024 * COUNT)
def helper():
    pass


@app.function(gpu=card)
def chain():
    pass


@app.function(gpu=f"A100:{COUNT}")
def counted():
    pass


@app.function(gpu="T4" if os.path.exists("/dev/nvidia0") else "L4")
def undecided():
    pass


@app.function(gpu=os.environ["CARD"])
def must():
    pass
