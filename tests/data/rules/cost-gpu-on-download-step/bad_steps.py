import modal


def fetch():
    from huggingface_hub import snapshot_download

    snapshot_download("org/model")


image = (
    modal.Image.debian_slim()
    .run_function(fetch, gpu="B200")  # expect: cost-gpu-on-download-step
    .run_commands("curl -L https://example.com/x -o /x", gpu="T4")  # expect: cost-gpu-on-download-step
)

# What the rule says of this file:
# 12:26 warning: run_function has a GPU and only downloads (snapshot_download)
#     why: the build waits for a GPU and is billed for it while it downloads
#     remedy: leave gpu= out of the step
#     fix (safe):
#         line 12: ', gpu="B200"' -> ''
# 13:58 warning: run_commands has a GPU and only downloads (curl)
#     why: the build waits for a GPU and is billed for it while it downloads
#     remedy: leave gpu= out of the step
#     fix (safe):
#         line 13: ', gpu="T4"' -> ''
