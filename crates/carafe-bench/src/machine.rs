//! The report's description of the machine.

use std::fs;

/// The features that make a difference here, as Linux names them.
const FEATURES: [&str; 7] = ["sha_ni", "aes", "avx2", "avx512bw", "vaes", "sha2", "asimd"];

/// Returns one line: the processor, the number of processors, and the features that matter here.
#[must_use]
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |names: &[&str]| {
        info.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| names.contains(&name.trim()))
            .map(|(_, value)| value.trim().to_owned())
    };
    let name = field(&["model name"]).unwrap_or_else(|| "an unknown processor".to_owned());
    let flags = field(&["flags", "Features"]).unwrap_or_default();
    let flags: Vec<&str> = flags.split_whitespace().filter(|f| FEATURES.contains(f)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{name}, {cores} cores, {}, {}", std::env::consts::OS, flags.join(" "))
}
