import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
    .run_commands("pip install --no-build-isolation git+https://github.com/camenduru/simple-knn@4f10e96c")  # expect: tool-arch-autodetect
)
app = modal.App("a", image=image)
