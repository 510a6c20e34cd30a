"""What things cost: programs that people run, never assertions in the tests.

``python -m benchmarks`` runs them all, ``--quick`` with fewer repeats, and names pick some. Each prints
one table and saves it as JSON. `harness` measures; every other module is one program.
"""
