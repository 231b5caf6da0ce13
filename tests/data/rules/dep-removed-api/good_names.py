import modal
from fastapi import FastAPI

app = modal.App("x")
vol = modal.Volume.from_name("v")
queue = modal.Queue.from_name("q")

try:
    from modal import OldThing
except ImportError:
    OldThing = None

if hasattr(modal, "SharedVolume"):
    old = modal.SharedVolume()


@app.function()
@modal.asgi_app()
def web():
    app = FastAPI()

    @app.get("/")
    def root():
        return {}

    app.include_router(1)
    return app


def use(image: modal.Image, e: modal.exception.Error):
    vol.commit()
    queue.put(1)
    app.whatever = 1
