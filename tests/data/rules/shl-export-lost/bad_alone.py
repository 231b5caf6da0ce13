import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands("export CXX=g++")  # expect: shl-export-lost
    .run_commands(
        "cd /src",  # expect: shl-export-lost
        "pip install -e .",
        ". /venv/bin/activate",  # expect: shl-export-lost
    )
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:20 warning: `export CXX=g++` stands alone in its string: the variable is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: set it with .env({…}) before the steps that need it
#     fix (safe):
#         line 5: '.run_commands("export CXX=g++")' -> '.env({"CXX": "g++"})'
# 7:10 warning: `cd /src` stands alone in its string: the folder is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: use .workdir(…), or `cd … &&` in the string that needs it
# 9:10 warning: `. /venv/bin/activate` stands alone in its string: it is gone in the next one
#     why: the steps after it run without it, and fail or build something else
#     remedy: put it in the string that needs it, with &&
