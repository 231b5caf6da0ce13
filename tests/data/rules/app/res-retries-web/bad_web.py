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
