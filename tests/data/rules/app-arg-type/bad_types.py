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

# What the rule says of this file:
# 5:18 error: pip_install gets a tuple; the client accepts strings and lists of strings
#     why: InvalidError when the file is imported: nothing of the app runs
#     remedy: write it as a list
#     fix (safe):
#         line 5: '("torch==2.6.0", "numpy")' -> '["torch==2.6.0", "numpy"]'
# 8:25 error: .env "MAX_JOBS" is 4, which is not a string
#     why: InvalidError when the file is imported: nothing of the app runs
#     remedy: write "4"
#     fix (safe):
#         line 8: '4' -> '"4"'
# 9:22 error: .env "DEBUG" is True, which is not a string
#     why: InvalidError when the file is imported: nothing of the app runs
#     remedy: write it as a string
# 12:6 error: add_local_file to 'a.txt'; the client accepts absolute remote paths only
#     why: InvalidError when the file is imported: nothing of the app runs
#     remedy: write '/root/a.txt' or another absolute path
# 13:19 error: run_function gets a lambda; the client accepts a function with a name
#     why: InvalidError when the file is imported: nothing of the app runs
#     remedy: write it as a def at the top level
# 19:10 error: inner is handed to Modal inside another function, and is not serialized
#     why: InvalidError when the file is imported: nothing of the app runs
#     remedy: move it to the top level, or add serialized=True
