import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch", find_links="http://mirror.example.com/whl")  # expect: sec-plain-index
b = slim.pip_install(
    "torch",
    pre=True,
    extra_index_url="http://mirror.example.com/simple",  # expect: sec-plain-index
)
c = slim.run_commands("ls", "pip install http://example.com/a.zip")  # expect: sec-plain-index
d = slim.pip_install("a @ http://example.com/a.zip")  # expect: sec-plain-index
e = slim.pip_install("torch", extra_options="--index-url http://mirror.example.com/simple")  # expect: sec-plain-index

# What the rule says of this file:
# 4:31 warning: http://mirror.example.com/whl: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
# 8:5 warning: http://mirror.example.com/simple: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
# 10:30 warning: http://example.com/a.zip: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
# 11:10 warning: http://example.com/a.zip: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
# 12:31 warning: http://mirror.example.com/simple: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
