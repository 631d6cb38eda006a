"""What the records say of each explanation. Pure: tables and policy in, values out.

- `policy.toml`, `policy.py`: every number of the method
- `world.py`: what every part looks at; `identity.py`: whose an identifier was, and when; `opportunity.py`: who could have acted
- `act.py`, `dossier.py`, `origins.py`: the act in question, and how it goes back to a login, an address, a device
- `hypotheses.py`: who, by which mechanism; `indicators/`: facts, and how well each hypothesis explains them
- `weighing.py`: likelihood ratios, their range, the rung
- `flags.py`, `gaps.py`, `missing.py`: facts with innocent explanations; silences; what would settle the rest
- `impact.py`, `statements.py`: what the change reached; what the parties say
- `answers.py`: the order of it all
"""
