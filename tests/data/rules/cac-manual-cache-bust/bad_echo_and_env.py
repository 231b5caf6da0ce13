import modal

SIGNATURE = "v12_signature"
image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands(
        "echo cache-bust-v9",  # expect: cac-manual-cache-bust
        f"echo 'image {SIGNATURE}'",  # expect: cac-manual-cache-bust
    )
    .env(
        {
            "HF_HOME": "/cache",
            "FORCE_REBUILD": "2026-03-01",  # expect: cac-manual-cache-bust
        }
    )
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:10 info: `echo cache-bust-v9` does nothing but make the layer new
#     remedy: pin what has to be new (a commit, a version), or use force_build=True for one run
# 8:9 info: `echo image v12_signature` does nothing but make the layer new
#     remedy: pin what has to be new (a commit, a version), or use force_build=True for one run
# 13:13 info: .env FORCE_REBUILD does nothing but make the layer new
#     remedy: pin what has to be new (a commit, a version), or use force_build=True for one run
