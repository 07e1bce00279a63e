"""The resources of a process: memory, descriptors and threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """The resources of one process at a moment."""

    mib: float
    descriptors: int
    threads: int

    @classmethod
    def by(cls, pid: int) -> Held:
        """Reads what the system says of a process."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return cls(int(fields["VmRSS"].split()[0]) / 1024, descriptors, int(fields["Threads"]))

    def exceeds(self, before: Held, mib_more: float) -> bool:
        """Whether it holds more than then. Pools and the runtime's idle threads come and go by a few."""
        return (
            self.mib > before.mib + mib_more
            or self.descriptors > before.descriptors + 12
            or self.threads > before.threads + 12
        )
