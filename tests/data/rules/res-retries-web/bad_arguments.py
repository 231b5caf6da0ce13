import modal

app = modal.App("x")


@app.function(schedule=modal.Cron("0 4 * * *"))  # expect: res-retries-web
def nightly(day, /, hour, minute=0, *, zone, suffix=""): ...


@app.function(retries=1)  # expect: res-retries-web
def pages():
    if True:
        yield from range(3)

# What the rule says of this file:
# 6:15 error: nightly runs on a schedule and needs day, hour, zone; a schedule gives no arguments
#     why: the client raises InvalidError when the file is imported
#     remedy: give each argument a default
# 10:15 error: pages is a generator and has retries=; Modal retries neither
#     why: the client raises InvalidError when the file is imported
#     remedy: leave retries= out
#     fix (safe):
#         line 10: 'retries=1' -> ''
