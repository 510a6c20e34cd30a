"""A shared package has one owner; see docs/decisions/0001-namespace-owners.md."""

from collections import defaultdict

from repository.distributions import ROOT, distributions

FIRST_LINE = '__path__ = __import__("pkgutil").extend_path(__path__, __name__)'
OWNERS = {
    "cascade": "cascade-py",
    "cascade.connectors": "cascade-runtime",
    "cascade.stores": "cascade-runtime",
    "cascade.executors": "cascade-runtime",
}


def folders():
    """Return every package's name with the source folders that hold a part of it."""
    parts = defaultdict(list)
    for each in distributions():
        source = each.folder / "src"
        for folder in sorted({parent for path in each.modules.values() for parent in path.parents}):
            if source in folder.parents:
                parts[".".join(folder.relative_to(source).parts)].append(folder)
    return parts


def test_the_shared_packages_are_the_known_ones():
    assert {name for name, parts in folders().items() if len(parts) > 1} == OWNERS.keys()


def test_only_its_owner_ships_a_shared_packages_init():
    for name, owner in OWNERS.items():
        inits = [part / "__init__.py" for part in folders()[name]]
        found = [file.relative_to(ROOT / "packages").parts[0] for file in inits if file.exists()]
        assert found == [owner], name


def test_every_other_package_has_an_init():
    unowned = [
        name
        for name, (part, *_) in folders().items()
        if name not in OWNERS and not (part / "__init__.py").exists()
    ]
    assert unowned == []


def test_an_owner_extends_the_path_before_anything_else():
    for name in OWNERS:
        (init,) = [f for part in folders()[name] if (f := part / "__init__.py").exists()]
        assert init.read_text(encoding="utf-8").splitlines()[0] == FIRST_LINE, name


def test_every_module_stands_under_a_mark_that_its_distribution_is_typed():
    untyped = [
        module
        for each in distributions()
        for module, path in each.modules.items()
        if not any((parent / "py.typed").exists() for parent in path.parents)
    ]
    assert untyped == []
