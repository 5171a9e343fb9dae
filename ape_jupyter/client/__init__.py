"""A library on a Jupyter server, as seen from a kernel or a script.

Nothing here needs jupyter_server: kernels often live in other environments than the server.
"""
