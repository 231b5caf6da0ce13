import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.apt_install("gh", "zip", "devscripts").run_commands("git --version", "unzip a.zip", "curl -V", "wget -V")
b = slim.run_commands("apt-get install -y git && pip install git+https://github.com/a/b@1f2e3d4c")
c = slim.run_commands("bash -c 'install-the-git'", "git --version").run_commands("which curl || exit 1", "curl -V")
d = slim.run_commands("sh install_curl.sh", "curl -V", "command -v wget && wget -V", "type unzip && unzip a.zip")
e = slim.apt_install("git=1:2.39.5").pip_install("git+https://github.com/a/b@1f2e3d4c")
f = slim.pip_install_private_repos("github.com/a/b@4f10e96c", git_user="a").run_commands("git --version")
