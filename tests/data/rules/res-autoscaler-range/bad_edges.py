import modal

app = modal.App("x")


@app.function(scaledown_window=1)  # expect: res-autoscaler-range
def a(): ...


@app.function(scaledown_window=3601)  # expect: res-autoscaler-range
def b(): ...


@app.cls(min_containers=1, max_containers=0)  # expect: res-autoscaler-range
class C: ...

# What the rule says of this file:
# 6:15 error: scaledown_window is 1 s; it must be 2 to 3600 s
#     why: the client raises InvalidError when the file is imported
#     remedy: write scaledown_window=2
#     fix (unsafe):
#         line 6: '1' -> '2'
# 10:15 error: scaledown_window is 3601 s; it must be 2 to 3600 s
#     why: the client raises InvalidError when the file is imported
#     remedy: write scaledown_window=3600
#     fix (unsafe):
#         line 10: '3601' -> '3600'
# 14:10 error: min_containers (1) is above max_containers (0)
#     why: the client raises InvalidError when the file is imported
#     remedy: raise max_containers to 1, or lower min_containers
