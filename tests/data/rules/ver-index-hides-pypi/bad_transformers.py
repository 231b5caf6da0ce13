import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", "transformers", index_url="https://download.pytorch.org/whl/cu121")  # expect: ver-index-hides-pypi
shell = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch==2.4.1 accelerate --index-url https://download.pytorch.org/whl/cu121")  # expect: ver-index-hides-pypi
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:100 error: transformers is asked of https://download.pytorch.org/whl/cu121 alone, which does not hold it
#     why: pip stops with: No matching distribution found
#     remedy: use extra_index_url, or install it in a call of its own
#     fix (safe):
#         line 3: 'index_url' -> 'extra_index_url'
# 4:70 error: accelerate is asked of https://download.pytorch.org/whl/cu121 alone, which does not hold it
#     why: pip stops with: No matching distribution found
#     remedy: use extra_index_url, or install it in a call of its own
