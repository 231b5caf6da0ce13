import modal

app = modal.App("x")


@app.function(gpu=["T4", "A10G"])  # expect: res-gpu-alias
def a(): ...


@app.cls(gpu='a10g')  # expect: res-gpu-alias
class B: ...

# What the rule says of this file:
# 6:26 info: gpu 'A10G' is the older name of A10
#     remedy: write 'A10'
#     fix (safe):
#         line 6: '"A10G"' -> '"A10"'
# 10:14 info: gpu 'a10g' is the older name of A10
#     remedy: write 'A10'
#     fix (safe):
#         line 10: "'a10g'" -> "'A10'"
