import modal

image = (
    modal.Image.from_registry(
        "nvidia/cuda:12.4.1-devel-ubuntu22.04",
        add_python="3.11",
        force_build=True,  # expect: cac-force-build-left
    )
    .pip_install("torch==2.6.0")
    .run_commands("pip install ninja", force_build=True)  # expect: cac-force-build-left
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:9 warning: force_build=True on from_registry: it and all after it are built on every run
#     why: minutes of building before every run; a compiled extension takes 10 to 40
#     remedy: leave it out, or set MODAL_FORCE_BUILD=1 for the one run that needs it
#     fix (safe):
#         line 7: 'force_build=True,  ' -> ''
# 10:40 warning: force_build=True on run_commands: it and all after it are built on every run
#     why: minutes of building before every run; a compiled extension takes 10 to 40
#     remedy: leave it out, or set MODAL_FORCE_BUILD=1 for the one run that needs it
#     fix (safe):
#         line 10: ', force_build=True' -> ''
