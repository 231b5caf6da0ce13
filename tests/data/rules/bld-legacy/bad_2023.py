# builder: 2023.12
import modal

image = (
    modal.Image.debian_slim(python_version="3.11")  # expect: bld-legacy
    .pip_install("torch==2.6.0")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:17 warning: Image Builder 2023.12 is a legacy version
#     why: its base layers are old, and Modal will stop building with it
#     remedy: run `modal workspace settings set image-builder-version 2026.10`
