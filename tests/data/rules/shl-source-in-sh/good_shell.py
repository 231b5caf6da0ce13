import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.dockerfile_commands('SHELL ["/bin/bash", "-c"]').run_commands("source /opt/env.sh")
b = slim.dockerfile_commands('  SHELL ["/bin/bash", "-c"]', "RUN source /opt/env.sh")
