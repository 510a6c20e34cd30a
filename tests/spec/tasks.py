"""Tasks at the level of a module, so that they can be pickled by name."""

from cascade.spec import task


@task
def double(x: int) -> int:
    return x * 2


@task
async def fetch(name: str) -> str:
    return name


@task
def total(parts: list[int], scale: int = 1) -> int:
    return sum(parts) * scale
