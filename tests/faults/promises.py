"""The promises of one letter of the catalogue, each with what does not keep it: a table for docs.

python -m tests.faults.promises W
"""

from __future__ import annotations

import sys

from tests.faults.catalogue import all_faults


def table(letter: str) -> str:
    rows = [["test", "what is true", "its negative control"], ["---"] * 3]
    for fault in all_faults():
        if fault.id.startswith(letter):
            naive = fault.control.startswith("naive")
            control = fault.control if naive else f"ours without: {fault.control}"
            if fault.broken:
                rows.append([fault.id, f"{fault.promise} **Not yet: {fault.broken}.**", ""])
            else:
                rows.append([fault.id, fault.promise, control])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(table(sys.argv[1]))
