import modal
from modal import App, gpu  # expect: dep-gpu-object

app = App("x")


@app.function(gpu=modal.gpu.A100(count=4, size="80GB"))  # expect: dep-gpu-object
def a():
    pass


@app.function(gpu=gpu.T4())  # expect: dep-gpu-object
def b():
    pass

# What the rule says of this file:
# 2:24 error: modal.gpu was removed in 1.4.0: GPUs are strings
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write gpu="A100-80GB" or the like, with ":4" for four
#     fix (safe):
#         line 2: ', gpu' -> ''
#         line 7: 'modal.gpu.A100(count=4, size="80GB")' -> '"A100-80GB:4"'
#         line 12: 'gpu.T4()' -> '"T4"'
# 7:19 error: modal.gpu was removed in 1.4.0: GPUs are strings
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write gpu="A100-80GB:4"
#     fix (safe):
#         line 2: ', gpu' -> ''
#         line 7: 'modal.gpu.A100(count=4, size="80GB")' -> '"A100-80GB:4"'
#         line 12: 'gpu.T4()' -> '"T4"'
# 12:19 error: modal.gpu was removed in 1.4.0: GPUs are strings
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write gpu="T4"
#     fix (safe):
#         line 2: ', gpu' -> ''
#         line 7: 'modal.gpu.A100(count=4, size="80GB")' -> '"A100-80GB:4"'
#         line 12: 'gpu.T4()' -> '"T4"'
