import modal

slim = modal.Image.debian_slim(python_version="3.12")
a = slim.add_local_file("a.txt", "/a.txt", copy=False).run_commands("cat /a.txt")  # expect: ord-add-local-then-build
b = (
    slim.add_local_python_source("package")  # expect: ord-add-local-then-build
    .add_local_dir("src", "/src", copy=True)
    .env({"A": "1"})
)

# What the rule says of this file:
# 4:10 error: add_local_file mounts files, and run_commands (line 4) builds on top of them
#     why: the client refuses the image: nothing is built
#     remedy: move add_local_file to the end of the chain, or give it copy=True when run_commands reads the files
# 6:10 error: add_local_python_source mounts files, and env (line 8) builds on top of them
#     why: the client refuses the image: nothing is built
#     remedy: move add_local_python_source to the end of the chain, or give it copy=True when env reads the files
#     fix (safe):
#         line 6: '' -> ', copy=True'
