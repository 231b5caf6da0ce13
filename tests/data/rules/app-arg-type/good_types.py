import modal

PACKAGES = ("torch==2.6.0", "numpy")


def check():
    print(1)


image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install(*PACKAGES)
    .pip_install(["wheel"], "ninja")
    .env({"MAX_JOBS": str(4)})
    .add_local_file("a.txt", "/root/a.txt")
    .run_function(check)
)
app = modal.App("a", image=image)


def make():
    @app.function(gpu="A100", serialized=True)
    def inner():
        pass

    return inner


def web():
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    def root():
        return 1

    return app
