import modal

app = modal.App("a")


@app.function(timeout=0.5)  # expect: res-timeout-over-max
def half(): ...


@app.function(timeout=0)  # expect: res-timeout-over-max
def none(): ...


@app.function(timeout=1)  # expect: res-timeout-over-max
def least(): ...

# What the rule says of this file:
# 6:15 error: timeout is 0.5 s; the least is 1 s
#     why: the deploy is refused after the image was built
#     remedy: give seconds from 1 to 86400
# 10:15 error: timeout is 0 s; the least is 1 s
#     why: the deploy is refused after the image was built
#     remedy: give seconds from 1 to 86400
# 14:15 info: timeout is 1 s: the function is ended after that long
#     remedy: the unit is seconds; multiply by 60 if minutes were meant
