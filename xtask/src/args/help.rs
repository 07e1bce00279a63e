//! The text of `cargo xtask help`.

use std::fmt::Write as _;

use crate::group::Group;

/// The text before the lists of groups.
const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test           run all the tests, group by group
  interop        compare the twin with real Flask on random requests
                   --requests N   how many requests to send (default 20000)
                   --seed S       where the randomness starts (default 1)
                   --server NAME  what serves the twin: axum (the default) or actix
  load           many connections at once on the twin, with each kind of store
                   --seconds N    for how long each (default 30)
  crashes        kill servers under load, at random moments
                   --kills N      how often (default 200)
                   --of WHAT      twins that share a SQLite file (sqlite, the default), or the
                                  store itself: redis, redis-everysec, postgres
  conditions     have one thing after the other go wrong with a store, under load
                   --minutes N    for how long each store (default 10)
                   --store NAME   this store alone: memory, sqlite, redis, postgres; repeatable
  failovers      end sessions in Redis while its primary dies: how many are back?
                   --rounds N     how often, at each distance of the replica (default 100)
                   --of WHAT      redis (the default), or redis-cluster, whose slots also move
  capacity       the CPU of a request and the bytes of a session, in each kind of store
                   --seconds N    for how long each kind of request (default 10)
  fuzz           look for inputs that break a promise, with libFuzzer
                   --seconds N    how long to look at each target (default 60)
                   --runs N       or how many inputs to try on each
                   --target T     this target alone; repeatable
                   --merge        add what reaches new code to the corpus
  mutants        change the core, one place after the other: do its tests notice? (hours)
                   --part P       this part alone; repeatable
                   --sample N     one of N changes, to be sooner done (default 1: all)
  bench          measure what Carafe and its peers cost; write docs/reports/benchmarks.md
                   --rounds N     how often everything is measured (default 301)
  bench http     measure requests over HTTP; write docs/reports/benchmarks-http.md
                   --rounds N     how often everything is measured (default 40)
                   --millis N     for how long each task of each server in a round (default 200)
                   --only A,B     these servers alone; prints, and leaves the report as it is
  python         build the Python package; print the folder to put on PYTHONPATH
  wheels         build the Python package's wheel for this machine, and its source package
  release-check  check what a release needs beyond the tests
  help           print this

Options of `test` and `release-check`:
  --only GROUP     run this group alone; repeatable
  --without GROUP  leave this group out; repeatable
  --no-install     install nothing, also as root on Debian; report it as missing
  --list           list the groups and what they need; run none
";

/// The text of `cargo xtask help`.
pub(crate) fn help(test: &[Group], release: &[Group]) -> String {
    let mut text = HELP.to_owned();
    for (command, groups) in [("test", test), ("release-check", release)] {
        let _ = writeln!(text, "\nGroups of `{command}`:");
        let width = groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
        for group in groups {
            let _ = writeln!(text, "  {:width$}  {}", group.name, group.about);
        }
    }
    text
}
