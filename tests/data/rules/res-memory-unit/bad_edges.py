import modal

app = modal.App("x")


@app.function(memory="4096 MiB", cpu=" 1.5 ")  # expect: res-memory-unit
def a(): ...


@app.function(memory="lots", cpu="two")  # expect: res-memory-unit
def b(): ...


@app.function(memory="2g")  # expect: res-memory-unit
def c(): ...


@app.function(memory=1)  # expect: res-memory-unit
def d(): ...


@app.function(memory=127)  # expect: res-memory-unit
def e(): ...


@app.function(memory=(64, 1024))  # expect: res-memory-unit
def f(): ...

# What the rule says of this file:
# 6:15 error: memory is the text '4096 MiB'; Modal takes a number of MiB
#     why: the deploy stops with a TypeError
#     remedy: write memory=4096
#     fix (unsafe):
#         line 6: '"4096 MiB"' -> '4096'
# 6:34 error: cpu is the text ' 1.5 '; Modal takes a number of cores
#     why: the deploy stops with a TypeError
#     remedy: write cpu=1.5
#     fix (unsafe):
#         line 6: '" 1.5 "' -> '1.5'
# 10:15 error: memory is the text 'lots'; Modal takes a number of MiB
#     why: the deploy stops with a TypeError
#     remedy: give MiB as a number
# 10:30 error: cpu is the text 'two'; Modal takes a number of cores
#     why: the deploy stops with a TypeError
#     remedy: give cores as a number
# 14:15 error: memory is the text '2g'; Modal takes a number of MiB
#     why: the deploy stops with a TypeError
#     remedy: write memory=2048
#     fix (unsafe):
#         line 14: '"2g"' -> '2048'
# 18:15 warning: memory is 1 MiB; Python alone needs more
#     why: Modal gives what is asked for, and the container runs out of memory
#     remedy: the unit is MiB: 1 GiB are 1024
#     fix (unsafe):
#         line 18: '1' -> '1024'
# 22:15 warning: memory is 127 MiB; Python alone needs more
#     why: Modal gives what is asked for, and the container runs out of memory
#     remedy: the unit is MiB: 127 GiB are 130048
#     fix (unsafe):
#         line 22: '127' -> '130048'
# 26:15 warning: memory is 64 MiB; Python alone needs more
#     why: Modal gives what is asked for, and the container runs out of memory
#     remedy: the unit is MiB: 64 GiB are 65536
