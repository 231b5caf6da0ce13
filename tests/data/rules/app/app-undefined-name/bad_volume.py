import modal

app = modal.App("a")
results = modal.Volume.from_name("results", create_if_missing=True)


def make():
    cache_volume = modal.Volume.from_name("cache")
    return cache_volume


@app.function(
    gpu="A100",
    timeout=3600,
    volumes={
        "/results": results_volume,  # expect: app-undefined-name
        "/cache": cache_volume,  # expect: app-undefined-name
    },
)
def train():
    return undefined_in_a_body
