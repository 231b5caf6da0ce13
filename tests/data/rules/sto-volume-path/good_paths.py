from pathlib import Path, PurePosixPath

import modal

app = modal.App("x")
vol = modal.Volume.from_name("v", create_if_missing=True)
other = modal.Volume.from_name("o", create_if_missing=True)
MODELS = Path("/models")


@app.function(volumes={"/data/": vol, str(MODELS): other})
def a():
    pass


@app.function(volumes={"/root/cache": vol, PurePosixPath("/x"): other})
def b():
    pass
