import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install(("torch==2.6.0", "numpy"))  # expect: app-arg-type
    .env(
        {
            "MAX_JOBS": 4,  # expect: app-arg-type
            "DEBUG": True,  # expect: app-arg-type
        }
    )
    .add_local_file("a.txt", "a.txt")  # expect: app-arg-type
    .run_function(lambda: print(1))  # expect: app-arg-type
)
app = modal.App("a", image=image)


def make():
    @app.function(gpu="A100")  # expect: app-arg-type
    def inner():
        pass

    return inner
