import modal

app = modal.App("x")


@app.function()
@modal.fastapi_endpoint(method="POST")
def web_endpoint():
    pass
