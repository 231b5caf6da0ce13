import modal
from elsewhere.settings import CACHE, MOUNTS

app = modal.App("a")


@app.function(volumes={str(CACHE): modal.Volume.from_name("c"), f"{MOUNTS.data}": modal.Volume.from_name("d")})
def f(): ...
