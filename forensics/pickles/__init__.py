"""Pickles, read opcode by opcode and never loaded: which callables they name, which they call, with which literal arguments.

- `cursor.py` bytes in order, in bounded memory
- `opcodes.py` one opcode and its argument after the other
- `values.py` what is handed back
- `walk.py` what the opcodes do to stack and memo: references, calls, arguments
- `arrays.py` arrays that joblib writes between the opcodes
- `streams.py` one pickle after the other, and whether bytes are one at all
- `callables.py` what a callable is known for: the one table
"""
