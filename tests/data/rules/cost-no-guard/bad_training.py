import modal

app = modal.App("x")


@app.function(gpu="A100-80GB", timeout=86400)  # expect: cost-no-guard
def train():
    fit()

# What the rule says of this file:
# 6:6 info: train trains on a GPU (train trains by its name) and nothing guards the run from inside
#     why: a fallback or a pace that does not fit is seen in the first minutes, or after the last dollar
#     remedy: model = guard(model, total_steps=…, hours=…) from preflight.guard, and .add_local_python_source("preflight") on its image
