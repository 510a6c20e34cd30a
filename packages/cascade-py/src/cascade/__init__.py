__path__ = __import__("pkgutil").extend_path(__path__, __name__)
# First of all, so that the parts of `cascade` from other distributions are found from here on.
