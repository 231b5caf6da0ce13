import modal

app = modal.App("x")


@app.function(retries=3)  # expect: res-retries-web
@modal.fastapi_endpoint()
def web():
    return 1


@app.function(retries=modal.Retries(max_retries=2))  # expect: res-retries-web
def numbers():
    yield 1


@app.function(schedule=modal.Period(days=1))  # expect: res-retries-web
def nightly(day):
    pass

# What the rule says of this file:
# 6:15 error: web is a web function and has retries=; Modal retries neither
#     why: the client raises InvalidError when the file is imported
#     remedy: leave retries= out
#     fix (safe):
#         line 6: 'retries=3' -> ''
# 12:15 error: numbers is a generator and has retries=; Modal retries neither
#     why: the client raises InvalidError when the file is imported
#     remedy: leave retries= out
#     fix (safe):
#         line 12: 'retries=modal.Retries(max_retries=2)' -> ''
# 17:15 error: nightly runs on a schedule and needs day; a schedule gives no arguments
#     why: the client raises InvalidError when the file is imported
#     remedy: give each argument a default
