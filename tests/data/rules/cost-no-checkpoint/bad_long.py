import modal

app = modal.App("x")


@app.function(gpu="H100", timeout=86400)  # expect: cost-no-checkpoint
def train():
    fit()

# What the rule says of this file:
# 6:6 info: train may train for 24 h and mounts no Volume and no bucket
#     why: after a preemption it starts again from the beginning
#     remedy: mount a Volume and write checkpoints there
