import modal

app = modal.App("x")


@app.function(timeout=None)  # expect: res-timeout-over-max
def a(): ...


@app.function(timeout=9)  # expect: res-timeout-over-max
def b(): ...


@app.function(timeout=86401)  # expect: res-timeout-over-max
def c(): ...

# What the rule says of this file:
# 6:15 error: timeout=None is refused when the file is imported
#     why: nothing of the app can run or be deployed
#     remedy: give seconds up to 86400, or leave it out for 300
#     fix (safe):
#         line 6: 'None' -> '86400'
# 10:15 info: timeout is 9 s: the function is ended after that long
#     remedy: the unit is seconds; multiply by 60 if minutes were meant
# 14:15 error: timeout is 86401 s (24.0003 h); Modal's limit is 86400 s (24 h)
#     why: the client does not check it: the deploy is refused after the image was built
#     remedy: set timeout=86400, and resume a longer run from a checkpoint
#     fix (safe):
#         line 14: '86401' -> '86400'
