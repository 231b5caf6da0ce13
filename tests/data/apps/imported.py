try:
    import modal

    HAS_MODAL = True
except ImportError:
    modal = None
    HAS_MODAL = False

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "environs_not_here"))

if HAS_MODAL:
    app = modal.App("imported")
    volume = modal.Volume.from_name("kept", create_if_missing=True)
    image = modal.Image.debian_slim(python_version="3.12")
else:
    app = volume = image = None

if modal is not None:

    @app.function(image=image, gpu="T4", volumes={HERE.parent / "mnt": volume})
    def go():
        pass
