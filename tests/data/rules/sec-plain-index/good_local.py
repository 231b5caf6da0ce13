import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("a", index_url="http://127.0.0.1:8080/simple", extra_index_url="http://[::1]/simple")
b = slim.pip_install("a @ https://example.com/a.zip", find_links="https://data.pyg.org/whl/torch-2.4.0+cu124.html")
