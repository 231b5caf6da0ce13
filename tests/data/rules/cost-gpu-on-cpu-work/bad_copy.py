import modal

app = modal.App("x")


@app.function(
    timeout=3600,
    gpu="A100-80GB",  # expect: cost-gpu-on-cpu-work
)
def sync():
    import os
    import shutil

    for name in os.listdir("/mnt/s3"):
        shutil.copy2(os.path.join("/mnt/s3", name), "/data")
    print("done")

# What the rule says of this file:
# 8:5 warning: sync has a GPU and only moves files (shutil.copy2)
#     why: the GPU is billed for as long as the copy takes, and is not used
#     remedy: leave gpu= out of its decorator
#     fix (safe):
#         line 8: 'gpu="A100-80GB",  ' -> ''
