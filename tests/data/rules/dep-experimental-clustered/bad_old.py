import modal

app = modal.App("x")


@app.function(gpu="H100:8")
@modal.experimental.clustered(size=2)  # expect: dep-experimental-clustered
def a():
    pass


@app.function(max_inputs=1)  # expect: dep-experimental-clustered
def b():
    pass

# What the rule says of this file:
# 7:2 warning: modal.experimental.clustered is deprecated
#     why: it prints a deprecation today; a later client refuses it
#     remedy: use modal.clustered
#     fix (safe):
#         line 7: 'modal.experimental.clustered' -> 'modal.clustered'
# 12:15 warning: max_inputs= is deprecated
#     why: it prints a deprecation today; a later client refuses it
#     remedy: set single_use_containers=True for one input a container
