import modal

import good_model  # expect: dep-automount

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0")
app = modal.App("a", image=image)


@app.function()
def f():
    from good_added import g  # expect: dep-automount

    return good_model.net(g)


@app.local_entrypoint()
def main():
    import good_local

    good_local.show(f.remote())
