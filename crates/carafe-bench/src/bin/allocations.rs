//! Counts the allocations of one call of everything in the tables.
//!
//! A program of its own, since the allocator that counts would take part in the times.

use carafe_bench::suite;

fn main() {
    for table in suite::tables() {
        for (column, subjects) in table.columns {
            for mut subject in subjects {
                // The parts that are set up once are set up now.
                subject.run(2);
                let count = allocation_counter::measure(|| subject.run(1)).count_total;
                println!("{}\t{column}\t{}\t{count}", table.title, subject.name);
            }
        }
    }
}
