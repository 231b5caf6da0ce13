import modal

app = modal.App("x")


@app.function(
    memory="32GB",  # expect: res-memory-unit
    cpu="8",  # expect: res-memory-unit
)
def a():
    pass


@app.function(memory=32)  # expect: res-memory-unit
def b():
    pass

# What the rule says of this file:
# 7:5 error: memory is the text '32GB'; Modal takes a number of MiB
#     why: the deploy stops with a TypeError
#     remedy: write memory=32768
#     fix (unsafe):
#         line 7: '"32GB"' -> '32768'
# 8:5 error: cpu is the text '8'; Modal takes a number of cores
#     why: the deploy stops with a TypeError
#     remedy: write cpu=8
#     fix (unsafe):
#         line 8: '"8"' -> '8'
# 14:15 warning: memory is 32 MiB; Python alone needs more
#     why: Modal gives what is asked for, and the container runs out of memory
#     remedy: the unit is MiB: 32 GiB are 32768
#     fix (unsafe):
#         line 14: '32' -> '32768'
