import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("export CXX=g++ CC='gcc'")  # expect: shl-export-lost
b = slim.run_commands("export A=1 && export B=2")  # expect: shl-export-lost
c = slim.run_commands("export A=$B")  # expect: shl-export-lost
d = slim.run_commands("export A")  # expect: shl-export-lost
e = slim.run_commands("pushd /src")  # expect: shl-export-lost
f = slim.run_commands("conda activate base")  # expect: shl-export-lost
g = slim.run_commands("source /venv/bin/activate && cd /src")  # expect: shl-export-lost
h = slim.run_commands("set -e")  # expect: shl-export-lost
i = slim.run_commands("export A=1", gpu="T4")  # expect: shl-export-lost
j = slim.run_commands(["export A=1", "export B=2"])  # expect: shl-export-lost
k = slim.run_commands("export A=1 && cd /src")  # expect: shl-export-lost
l = slim.dockerfile_commands("RUN export A=1")  # expect: shl-export-lost
m = slim.run_commands("alias a_rather_long_name_of_an_alias='another rather long name of a command'")  # expect: shl-export-lost
n = slim.run_commands(
    "export A=1",  # expect: shl-export-lost
)

# What the rule says of this file:
# 4:24 warning: `export CXX=g++ CC='gcc'` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
#     fix (safe):
#         line 4: '.run_commands("export CXX=g++ CC=\'gcc\'")' -> '.env({"CXX": "g++", "CC": "gcc"})'
# 5:24 warning: `export A=1` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
#     fix (safe):
#         line 5: '.run_commands("export A=1 && export B=2")' -> '.env({"A": "1", "B": "2"})'
# 6:24 warning: `export A=$B` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 7:24 warning: `export A` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 8:24 warning: `pushd /src` stands alone in its string: the folder is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: use .workdir(…), or `cd … &&` in the string that needs it
# 9:24 warning: `conda activate base` stands alone in its string: it is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: put it in the string that needs it, with &&
# 10:24 warning: `source /venv/bin/activate` stands alone in its string: it is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: put it in the string that needs it, with &&
# 11:24 warning: `set -e` stands alone in its string: it is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: put it in the string that needs it, with &&
# 12:24 warning: `export A=1` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 13:25 warning: `export A=1` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 13:39 warning: `export B=2` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 14:24 warning: `export A=1` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 15:35 warning: `export A=1` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
# 16:24 warning: `alias a_rather_long_name_of_an_alias='another rather long na` stands alone in its string: it is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: put it in the string that needs it, with &&
# 18:6 warning: `export A=1` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
