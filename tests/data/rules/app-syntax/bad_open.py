import modal

app = modal.App("a")
image = modal.Image.debian_slim(python_version="3.11").pip_install("torch"  # expect: app-syntax


@app.function()
def f():
    pass

# What the rule says of this file:
# 4:67 error: bad_open.py does not parse: '(' was never closed (Python VERSION)
#     why: it can't be imported, and no other rule has looked at it
#     remedy: correct the line; if it is newer Python than this, run preflight with that Python
