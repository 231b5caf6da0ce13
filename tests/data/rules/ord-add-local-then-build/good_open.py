import modal

options = load_options()
slim = modal.Image.debian_slim(python_version="3.12")
a = slim.add_local_dir("src", "/src", **options).pip_install("numpy==1.26.4")
b = slim.add_local_dir("src", "/src", copy=load_flag()).pip_install("numpy==1.26.4")
c = slim.add_local_dir("src", "/src").add_local_file("a", "/a")
