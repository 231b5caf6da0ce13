import os

import modal

BUCKET = os.environ["BUCKET"]  # expect: app-environ-index-at-import
app = modal.App("a")


@app.function(
    gpu=os.environ["GPU"],  # expect: app-environ-index-at-import
)
def f():
    return os.environ["OTHER"]

# What the rule says of this file:
# 5:10 warning: os.environ["BUCKET"] is read when the file is imported, in the container too
#     why: a KeyError when the container starts, after the image build
#     remedy: use os.environ.get("BUCKET", …), or read it in the function that needs it
#     fix (unsafe):
#         line 5: 'os.environ["BUCKET"]' -> 'os.environ.get("BUCKET", "")'
# 10:9 warning: os.environ["GPU"] is read when the file is imported, in the container too
#     why: a KeyError when the container starts, after the image build
#     remedy: use os.environ.get("GPU", …), or read it in the function that needs it
#     fix (unsafe):
#         line 10: 'os.environ["GPU"]' -> 'os.environ.get("GPU", "")'
