"""What the sample cases are made with: one invented lab, its calendar, and the logs that its systems would have written.

    stored.py      deflate, gzip and tar files whose bytes depend on nothing but their content
    gitobjects.py  git objects, packs, indexes and reflogs, written without git
    times.py       moments, and the ways in which logs print them
    people.py      who works in a lab, with which accounts, keys and devices
    presence.py    who was where on which day, and what door, address and laptop records say about it
    forge.py       a code forge: branches, pushes, merge requests, and its logs
    hosts.py       sessions on hosts: sshd, sudo and the audit log
    scheduler.py   jobs of a Slurm cluster and their accounting rows
    objectstore.py an object store's trail
    folder.py      files of a case folder

Every random choice comes from a named `random.Random`; sums and products only, since a platform's `exp` may differ in its last digit.
"""
