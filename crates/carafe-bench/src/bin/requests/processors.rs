//! On which processors servers and load run.

use std::error::Error;

/// The kinds of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// The load: on the first processor.
    Load,
    /// A server that has a processor for itself: the last.
    Server,
    /// Every other process: on all processors.
    All,
}

/// Keeps this thread, and what it starts from now on, to some of the processors. Where there is but one,
/// or this isn't Linux, all stays as it is.
#[cfg(target_os = "linux")]
pub(crate) fn keep_to(share: Share) -> Result<(), Box<dyn Error>> {
    use std::sync::OnceLock;

    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    // The processors that this process was given. A later look would show those that it kept.
    static GIVEN: OnceLock<Vec<usize>> = OnceLock::new();
    let this = Pid::from_raw(0);
    let given = match GIVEN.get() {
        Some(given) => given,
        None => {
            let set = sched_getaffinity(this)?;
            let is_given = |processor: &usize| set.is_set(*processor).unwrap_or(false);
            GIVEN.get_or_init(|| (0..CpuSet::count()).filter(is_given).collect())
        }
    };
    let kept = match (share, given.as_slice()) {
        (Share::Load, [first, .., _]) => std::slice::from_ref(first),
        (Share::Server, [_, .., last]) => std::slice::from_ref(last),
        (_, all) => all,
    };
    let mut set = CpuSet::new();
    kept.iter().try_for_each(|processor| set.set(*processor))?;
    Ok(sched_setaffinity(this, &set)?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_to(_: Share) -> Result<(), Box<dyn Error>> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    /// The processors that a program which is started now may run on.
    fn of_a_child() -> String {
        let status = Command::new("cat").arg("/proc/self/status").output().unwrap().stdout;
        let status = String::from_utf8(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.unwrap().trim().to_owned()
    }

    #[test]
    fn what_is_started_stays_where_it_is_to_be() {
        let all = of_a_child();
        keep_to(Share::Load).unwrap();
        let load = of_a_child();
        keep_to(Share::Server).unwrap();
        let server = of_a_child();
        keep_to(Share::All).unwrap();
        assert_eq!(of_a_child(), all);
        // On a single processor everything stays there.
        let several = std::thread::available_parallelism().unwrap().get() > 1;
        assert_eq!((load != server, load != all), (several, several), "{load} {server} {all}");
    }
}
