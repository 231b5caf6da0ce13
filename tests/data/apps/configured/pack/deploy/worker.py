import modal

from pack.app import app
from pack.config import CONFIG, IMAGE, LIMITS, PATHS, SIZE, Card

image = modal.Image.from_registry(IMAGE.tag, add_python=IMAGE.python).pip_install(*CONFIG.packages)


@app.function(
    image=image,
    gpu=CONFIG.card.value,
    timeout=CONFIG.timeout,
    volumes={PATHS.cache: modal.Volume.from_name(CONFIG.cache)},
)
def go():
    pass


@app.function(gpu=Card.SMALL, memory=LIMITS.memory, timeout=LIMITS.hours * 3600, cpu=SIZE.cpu)
def small():
    pass


@app.function(gpu=SIZE.gpu, timeout=CONFIG.absent)
def absent():
    pass
