import modal

app = modal.App("x")


@app.function()
@modal.web_endpoint(method="POST")  # expect: dep-web-endpoint
def a():
    pass

# What the rule says of this file:
# 7:2 error: modal.web_endpoint was renamed to modal.fastapi_endpoint
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write modal.fastapi_endpoint, and install fastapi[standard] in the image
#     fix (safe):
#         line 7: 'web_endpoint' -> 'fastapi_endpoint'
