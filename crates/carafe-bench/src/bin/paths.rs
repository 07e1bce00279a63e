//! Runs one hot path so many times, for tools that count instructions: `paths NAME TIMES`. Without
//! arguments it prints the names.

use std::error::Error;

use carafe_bench::paths;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut paths = paths::all();
    match arguments.as_slice() {
        [] => paths.iter().for_each(|path| println!("{}", path.name)),
        [name, times] => {
            let path = paths.iter_mut().find(|path| path.name == *name);
            path.ok_or("there is no such path")?.run(times.parse()?);
        }
        _ => return Err("usage: paths [NAME TIMES]".into()),
    }
    Ok(())
}
