import modal

image = (
    modal.Image.debian_slim()
    .copy_local_dir("src", "/root/src")  # expect: dep-copy-local-removed
    .pip_install("x")
)
other = image.copy_local_file("a.txt", "/a.txt")  # expect: dep-copy-local-removed

# What the rule says of this file:
# 5:6 error: Image.copy_local_dir is gone from the client
#     why: an AttributeError when the file is imported: nothing of the app runs
#     remedy: use add_local_dir(…, copy=True)
#     fix (safe):
#         line 5: 'copy_local_dir' -> 'add_local_dir'
#         line 5: '' -> ', copy=True'
# 8:15 error: Image.copy_local_file is gone from the client
#     why: an AttributeError when the file is imported: nothing of the app runs
#     remedy: use add_local_file(…, copy=True)
#     fix (safe):
#         line 8: 'copy_local_file' -> 'add_local_file'
#         line 8: '' -> ', copy=True'
