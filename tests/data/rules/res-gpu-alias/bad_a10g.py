import modal

app = modal.App("x")


@app.function(gpu="A10G:2")  # expect: res-gpu-alias
def a():
    pass

# What the rule says of this file:
# 6:19 info: gpu 'A10G:2' is the older name of A10
#     remedy: write 'A10:2'
#     fix (safe):
#         line 6: '"A10G:2"' -> '"A10:2"'
