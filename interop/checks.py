"""A line for each check, and a count at the end."""

from __future__ import annotations


class Checks:
    """Collects the outcome of checks, printing each as it comes."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []

    def check(self, name: str, passed: bool, detail: object = "") -> bool:
        """Notes one check; `detail` is printed where it failed."""
        if passed:
            self.passed += 1
            print(f"ok     {name}", flush=True)
        else:
            self.failed.append(name)
            print(f"FAILED {name}" + (f"\n       {detail}" if detail != "" else ""), flush=True)
        return passed

    def finish(self) -> int:
        """Prints the count; the exit status."""
        print(f"{self.passed} of {self.passed + len(self.failed)} checks passed", flush=True)
        return 1 if self.failed else 0
