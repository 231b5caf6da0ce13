import modal

app = modal.App("x")


@app.cls(
    gpu=["H100", "A100"],
    nonpreemptible=True,  # expect: res-nonpreemptible-gpu
)
class A: ...

# What the rule says of this file:
# 8:5 error: nonpreemptible=True with gpu=['H100', 'A100']; only functions without a GPU can be non-preemptible
#     why: the deploy is refused after the image was built
#     remedy: leave nonpreemptible out, and resume from a checkpoint after a preemption
