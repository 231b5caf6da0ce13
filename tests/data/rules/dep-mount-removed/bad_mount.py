import modal

app = modal.App("x")
mount = modal.Mount.from_local_dir("src", remote_path="/root/src")  # expect: dep-mount-removed


@app.function(mounts=[mount])  # expect: dep-mount-removed
def f():
    pass

# What the rule says of this file:
# 4:9 error: modal.Mount was removed in 1.0.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: use image.add_local_dir, add_local_file or add_local_python_source
# 7:15 error: mounts= was removed in 1.0.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: use image.add_local_dir, add_local_file or add_local_python_source
