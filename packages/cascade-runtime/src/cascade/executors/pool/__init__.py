"""The default executor: worker threads, and worker processes (`processes`), made at first need."""

from cascade.executors.pool.executor import PoolExecutor

__all__ = ["PoolExecutor"]
