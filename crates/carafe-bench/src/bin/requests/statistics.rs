//! Numbers of many rounds, as one.

/// The median, and between which values the middle half lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quartiles {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Quartiles {
    /// Of no numbers, each is no number.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|part| at(&sorted, part));
        Self { low, median, high }
    }
}

/// The number that this part of the others is below, between two of them where there is none.
fn at(sorted: &[f64], part: f64) -> f64 {
    let place = sorted.len().saturating_sub(1) as f64 * part;
    let (Some(below), Some(above)) =
        (sorted.get(place.floor() as usize), sorted.get(place.ceil() as usize))
    else {
        return f64::NAN;
    };
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_the_sorted_numbers() {
        let five = Quartiles::of([5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(five, Quartiles { low: 2.0, median: 3.0, high: 4.0 });
        let two = Quartiles::of([1.0, 2.0]);
        assert_eq!(two, Quartiles { low: 1.25, median: 1.5, high: 1.75 });
        assert!(Quartiles::of([]).median.is_nan());
    }
}
