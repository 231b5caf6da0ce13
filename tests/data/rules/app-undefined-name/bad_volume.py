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

# What the rule says of this file:
# 16:21 error: results_volume is used when the file is imported, and nothing in it binds that name
#     why: a NameError at import: nothing of the app runs
#     remedy: bind it above, or import it
# 17:19 error: cache_volume is used when the file is imported, and nothing in it binds that name
#     why: a NameError at import: nothing of the app runs
#     remedy: bind it above, or import it
