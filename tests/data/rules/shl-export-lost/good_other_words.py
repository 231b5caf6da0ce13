import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("conda install -y gcc", "conda", ". /etc/profile", "source /opt/env.sh", "export A=1 > /tmp/log")
b = slim.run_commands("echo export A=1", "exporter", "CC=gcc")
