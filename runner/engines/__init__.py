"""The engines, which carry launches out. Each engine has a module that implements the protocol in `protocol`."""
