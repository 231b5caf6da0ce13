from pathlib import Path

import modal

ROOT = Path(__file__).resolve().parents[2]  # expect: app-path-parents-index
image = modal.Image.debian_slim(python_version="3.11").add_local_dir(
    Path(__file__).parents[3] / "src",  # expect: app-path-parents-index
    "/root/src",
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:8 error: Path(__file__).resolve().parents[2]: in the container the file is /root/bad_deep.py, 2 parents below the root
#     why: an IndexError when the container imports the file, after the image build
#     remedy: use .parent once for each step, or put it under `if modal.is_local():`
#     fix (unsafe):
#         line 5: '.parents[2]' -> '.parent.parent.parent'
# 7:5 error: Path(__file__).parents[3]: in the container the file is /root/bad_deep.py, 2 parents below the root
#     why: an IndexError when the container imports the file, after the image build
#     remedy: use .parent once for each step, or put it under `if modal.is_local():`
#     fix (unsafe):
#         line 7: '.parents[3]' -> '.parent.parent.parent.parent'
