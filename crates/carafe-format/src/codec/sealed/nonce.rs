//! Random nonces that never repeat, whatever threads and forks a process has.

use std::cell::RefCell;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// The number of nonces from one seed. It bounds the nonces that a leaked state foretells.
const NONCES_PER_SEED: u32 = 1 << 16;

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// A thread's own generator, seeded by the operating system.
struct Generator {
    random: ChaCha20Rng,
    /// The process that seeded the generator. A fork copies the memory of the forking thread, so
    /// both processes would have a generator that gives the same nonces.
    process: u32,
    left: u32,
}

impl Generator {
    fn seeded(process: u32) -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_from_system(&mut *seed)?;
        Ok(Self { random: ChaCha20Rng::from_seed(*seed), process, left: NONCES_PER_SEED })
    }
}

/// A nonce that no process and no thread has used.
pub(super) fn fresh() -> Result<[u8; 24], Error> {
    let draw = |state: &RefCell<Option<Generator>>| draw(&mut state.borrow_mut());
    // A thread that ends has no generator any more.
    GENERATOR.try_with(draw).unwrap_or_else(|_| {
        let mut nonce = [0; 24];
        fill_from_system(&mut nonce)?;
        Ok(nonce)
    })
}

fn draw(state: &mut Option<Generator>) -> Result<[u8; 24], Error> {
    let process = process_id();
    let generator = match state {
        Some(generator) if generator.process == process && generator.left > 0 => generator,
        _ => state.insert(Generator::seeded(process)?),
    };
    generator.left -= 1;
    let mut nonce = [0; 24];
    generator.random.fill_bytes(&mut nonce);
    Ok(nonce)
}

/// Without forks, one number is enough.
fn process_id() -> u32 {
    if cfg!(unix) { std::process::id() } else { 0 }
}

fn fill_from_system(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(ErrorKind::Entropy, "the operating system gave no random bytes for a nonce")
            .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nonces_of_all_threads_differ() {
        let per_thread = NONCES_PER_SEED as usize + 10;
        let threads: Vec<_> = (0..2)
            .map(|_| {
                std::thread::spawn(move || {
                    (0..per_thread).map(|_| fresh().unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 2 * per_thread);
    }

    #[test]
    fn a_copy_in_another_process_is_seeded_anew() {
        // A fork leaves the same state and another process id.
        let copy_of = |generator: &Generator, process| Generator {
            random: ChaCha20Rng::deserialize_state(&generator.random.serialize_state()),
            process,
            left: generator.left,
        };
        let parent = Generator::seeded(process_id()).unwrap();
        let mut same = Some(copy_of(&parent, process_id()));
        let mut child = Some(copy_of(&parent, process_id() ^ 1));
        let mut parent = Some(parent);
        let nonce = draw(&mut parent).unwrap();
        assert_eq!(draw(&mut same).unwrap(), nonce, "the copies do start alike");
        assert_ne!(draw(&mut child).unwrap(), nonce);
        assert_eq!(child.unwrap().process, process_id());
    }

    #[cfg(unix)]
    #[test]
    fn a_process_is_told_by_its_id() {
        assert_eq!(process_id(), std::process::id());
        assert_eq!(Generator::seeded(7).unwrap().process, 7);
    }

    #[test]
    fn a_seed_is_used_up() {
        let mut state = Some(Generator::seeded(process_id()).unwrap());
        draw(&mut state).unwrap();
        assert_eq!(state.as_ref().map(|generator| generator.left), Some(NONCES_PER_SEED - 1));
        if let Some(generator) = &mut state {
            generator.left = 0;
        }
        draw(&mut state).unwrap();
        assert_eq!(state.map(|generator| generator.left), Some(NONCES_PER_SEED - 1));
    }
}
