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

# What the rule says of this file:
# 3:1 warning: good_model lies beside the app, and no step adds it to the image
#     why: the container stops at its start: No module named 'good_model'
#     remedy: put .add_local_python_source("good_model") at the end of the image
# 11:5 warning: good_added lies beside the app, and no step adds it to the image
#     why: the container stops at its start: No module named 'good_added'
#     remedy: put .add_local_python_source("good_added") at the end of the image
