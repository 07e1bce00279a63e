//! Choices: all combinations, random ones, or the choices of an earlier run.

/// The source of a run's choices.
#[derive(Debug)]
pub(super) struct Choices {
    /// The choices so far, each with its number of options.
    taken: Vec<(usize, usize)>,
    at: usize,
    /// Beyond those that are given it is always the first option, or a random one.
    random: Option<Random>,
}

impl Choices {
    /// These, one after the other, and then always the first option. One that is beyond the options
    /// counts from the beginning again, so that any numbers are choices for any run.
    pub(super) fn given(choices: &[usize]) -> Self {
        let taken = choices.iter().map(|choice| (*choice, usize::MAX)).collect();
        Self { taken, at: 0, random: None }
    }

    pub(super) fn random(seed: u64) -> Self {
        Self { taken: Vec::new(), at: 0, random: Some(Random(seed)) }
    }

    /// Chooses one of `options` numbers.
    pub(super) fn choose(&mut self, options: usize) -> usize {
        assert!(options > 0, "nothing can go on");
        if self.at == self.taken.len() {
            let choice = self.random.as_mut().map_or(0, |random| random.below(options));
            self.taken.push((choice, options));
        }
        let (choice, before) = &mut self.taken[self.at];
        if *before == usize::MAX {
            (*choice, *before) = (*choice % options, options);
        }
        assert_eq!(*before, options, "the run before went another way with the same choices");
        self.at += 1;
        *choice
    }

    /// Returns the choices of this run.
    pub(super) fn taken(&self) -> Vec<usize> {
        self.taken[..self.at].iter().map(|(choice, _)| *choice).collect()
    }

    /// Goes on to the next combination: the last choice that has another option takes it. `false` if
    /// there is none.
    pub(super) fn next(&mut self) -> bool {
        self.taken.truncate(self.at);
        self.at = 0;
        while let Some((choice, options)) = self.taken.pop() {
            if choice + 1 < options {
                self.taken.push((choice + 1, options));
                return true;
            }
        }
        false
    }
}

/// SplitMix64: the same numbers on every machine.
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, options: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % options as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_tried_once() {
        let mut choices = Choices::given(&[]);
        let mut tried = std::collections::BTreeSet::new();
        loop {
            let first = choices.choose(3);
            // The second choice has as many options as the first one leaves.
            let second = if first > 0 { choices.choose(first + 1) } else { 0 };
            assert!(tried.insert((first, second)));
            if !choices.next() {
                break;
            }
        }
        assert_eq!(tried.len(), 1 + 2 + 3);
    }

    #[test]
    fn given_choices_are_taken_again() {
        let mut random = Choices::random(7);
        let first: Vec<usize> = (2..20).map(|options| random.choose(options)).collect();
        let mut given = Choices::given(&random.taken());
        assert_eq!((2..20).map(|options| given.choose(options)).collect::<Vec<_>>(), first);
        assert_eq!(given.choose(5), 0);
    }
}
