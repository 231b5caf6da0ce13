import modal

app = modal.App("x")


@app.function(scaledown_window=2 * 3600)  # expect: res-autoscaler-range
def a():
    pass


@app.function(
    min_containers=4,  # expect: res-autoscaler-range
    max_containers=2,
)
def b():
    pass

# What the rule says of this file:
# 6:15 error: scaledown_window is 7200 s; it must be 2 to 3600 s
#     why: the client raises InvalidError when the file is imported
#     remedy: write scaledown_window=3600
#     fix (unsafe):
#         line 6: '2 * 3600' -> '3600'
# 12:5 error: min_containers (4) is above max_containers (2)
#     why: the client raises InvalidError when the file is imported
#     remedy: raise max_containers to 4, or lower min_containers
