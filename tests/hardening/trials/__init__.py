"""What `make harden` tries, a row of docs/reliability.md in each file; the quick tests try a few of the same.

In the order of the table:

    - kills
    - signals
    - save_order
    - disk_errors
    - places
    - read_only
    - damage
    - cuts
    - hostile
    - fuzzing
    - not_finite
    - memory_limit
    - clients
    - schema
    - shapes
    - soak_train
    - soak_serve
"""
