"""A stand-in for the extension; the scan itself is in mamba_ssm, in double precision."""
