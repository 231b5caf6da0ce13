import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu118")  # expect: ver-torch-not-on-index
b = modal.Image.debian_slim(python_version="3.13").pip_install("torch==2.2.2")  # expect: ver-torch-not-on-index
c = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.5.7")  # expect: ver-torch-not-on-index
d = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch==2.4.1+cu126 -f https://x.example")  # expect: ver-torch-not-on-index
app = modal.App("a", image=a)

# What the rule says of this file:
# 3:64 error: torch 2.8.0 was never built for cu118
#     why: pip stops with: No matching distribution found
#     remedy: take one of cu126, cu128, cu129
# 4:64 error: torch 2.2.2 has no wheel for Python 3.13
#     why: pip stops with: No matching distribution found
#     remedy: take Python 3.8 to 3.12
# 5:64 error: torch 2.5.7 was never released
#     why: pip stops with: No matching distribution found
#     remedy: take one of 2.5.0, 2.5.1
# 6:66 error: torch 2.4.1+cu126 was never built for cu126
#     why: pip stops with: No matching distribution found
#     remedy: take one of cu118, cu121, cu124
