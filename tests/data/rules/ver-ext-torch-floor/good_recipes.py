import modal


def recipe(cuda: str, torch: str, mamba: str, causal: str):
    return (
        modal.Image.from_registry(f"nvidia/cuda:{cuda}-devel-ubuntu22.04", add_python="3.11")
        .env({"CC": "gcc", "CXX": "g++"})
        .pip_install(f"torch=={torch}", "packaging", "wheel", "ninja", "numpy<2", "transformers<5")
        .pip_install(f"causal-conv1d=={causal}", extra_options="--no-build-isolation")
        .pip_install(f"mamba-ssm=={mamba}", extra_options="--no-build-isolation")
    )


g2 = recipe("12.1.1", "2.1.2", "1.2.0.post1", "1.2.0.post2")
g3 = recipe("12.1.1", "2.2.2", "2.2.2", "1.4.0")
g4 = recipe("12.1.1", "2.3.1", "2.2.2", "1.4.0")
g5 = recipe("12.4.1", "2.4.1", "2.2.4", "1.5.0.post8")
g6 = recipe("12.4.1", "2.5.1", "2.2.4", "1.5.0.post8")
g7 = recipe("12.4.1", "2.6.0", "2.2.4", "1.5.0.post8")
g8 = recipe("12.8.1", "2.7.1", "2.2.6.post3", "1.5.3.post1")
g9 = recipe("12.8.1", "2.8.0", "2.3.1", "1.6.0")
g10 = recipe("12.8.1", "2.9.1", "2.3.2.post1", "1.6.2.post1")
g11 = recipe("12.8.1", "2.10.0", "2.3.2.post1", "1.6.2.post1")
g12 = recipe("13.0.1", "2.13.0", "2.3.2.post1", "1.7.0")
app = modal.App("a", image=g2)
