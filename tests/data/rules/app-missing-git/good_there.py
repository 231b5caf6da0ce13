import modal

APT = ["git", "curl", "wget"]
named = modal.Image.debian_slim(python_version="3.11").apt_install(*APT).pip_install("git+https://github.com/a/b@4f10e96c")
by_shell = modal.Image.debian_slim(python_version="3.11").run_commands(
    "apt-get update && apt-get install -y --no-install-recommends git",
    "git clone https://github.com/a/b",
)
conda = modal.Image.micromamba(python_version="3.11").micromamba_install("git", channels=["conda-forge"]).run_commands("git --version")
foreign = modal.Image.from_registry("ghcr.io/team/base:1").run_commands("git clone https://github.com/a/b")
archive = modal.Image.debian_slim(python_version="3.11").pip_install("https://github.com/a/b/archive/4f10e96c.zip")
private = modal.Image.debian_slim(python_version="3.11").pip_install_private_repos("github.com/a/b@4f10e96c", git_user="a")
app = modal.App("a")
