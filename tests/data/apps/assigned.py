import modal

GPU = "T4"
HOURS = 1


class Limits:
    MEMORY = 1024


def configure():
    global GPU, HOURS
    GPU = "H100"
    if unknown():
        HOURS = 2


def counted():
    n = 0

    def once():
        nonlocal n
        n = n + 1
        return n

    once()
    return n


configure()
Limits.MEMORY = 4096
if unknown():
    Limits.MEMORY = 8192
app = modal.App("assigned")


@app.function(gpu=GPU, timeout=HOURS * 3600, memory=Limits.MEMORY, retries=counted())
def go():
    pass
