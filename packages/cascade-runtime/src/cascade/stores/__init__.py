__path__ = __import__("pkgutil").extend_path(__path__, __name__)
# First of all, so that stores from other distributions are found as `cascade.stores.…`.
