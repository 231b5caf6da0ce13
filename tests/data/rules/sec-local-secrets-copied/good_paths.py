import modal

options = load_options()
FOLDER = "."
slim = modal.Image.debian_slim(python_version="3.11")
a = slim.add_local_dir(".", "/x", **options)
b = slim.add_local_dir(".", remote_path="/x", ignore=modal.FilePatternMatcher("**/.env"))
c = slim.add_local_file("settings.toml", ".env")
d = slim.add_local_file("a.env", remote_path="/.env")
e = slim.add_local_dir("src", ".")
f = slim.add_local_python_source(".")
