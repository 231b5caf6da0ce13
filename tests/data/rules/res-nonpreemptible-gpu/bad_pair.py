import modal

app = modal.App("x")


@app.function(gpu="H100", nonpreemptible=True)  # expect: res-nonpreemptible-gpu
def a():
    pass

# What the rule says of this file:
# 6:27 error: nonpreemptible=True with gpu='H100'; only functions without a GPU can be non-preemptible
#     why: the deploy is refused after the image was built
#     remedy: leave nonpreemptible out, and resume from a checkpoint after a preemption
