//! Reads callgrind's file: how many instructions each library executed itself, and how often it called the allocator.

use std::collections::{BTreeMap, HashMap};

/// The counts of some libraries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Instructions in them, without those of functions that they call in other libraries.
    pub instructions: u64,
    /// Their calls of `malloc`, `calloc`, `realloc` and the aligned variants.
    pub allocations: u64,
}

/// The counts of each library.
#[derive(Debug, Default)]
pub struct Counts {
    objects: BTreeMap<String, Count>,
}

/// Whether a library is one of super8's.
pub fn is_super8(object: &str) -> bool {
    object.rsplit('/').next().is_some_and(|name| name.starts_with("libsuper8"))
}

impl Counts {
    /// Reads callgrind's file.
    ///
    /// # Errors
    /// A line cannot be parsed.
    pub fn parse(text: &str) -> Result<Counts, String> {
        let (mut objects, mut functions) = (Names::default(), Names::default());
        let mut counts = Counts::default();
        // the executing library, the called one if it is another, and the function
        let (mut object, mut called) = (String::new(), String::new());
        let mut calls = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("ob=") {
                object = objects.full(name)?;
            } else if let Some(name) = line.strip_prefix("cob=") {
                objects.full(name)?;
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = functions.full(name)?;
            } else if let Some(name) = line.strip_prefix("fn=") {
                functions.full(name)?;
            } else if let Some(numbers) = line.strip_prefix("calls=") {
                let times = numbers.split(' ').next().and_then(|number| number.parse::<u64>().ok());
                let times = times.ok_or_else(|| format!("callgrind's line {line:?}"))?;
                if ALLOCATORS.contains(&called.as_str()) {
                    counts.entry(&object).allocations += times;
                }
                calls = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                // the line after `calls=` is the cost of the called function
                if !std::mem::take(&mut calls) {
                    let cost = line.split(' ').nth(1).and_then(|number| number.parse::<u64>().ok());
                    counts.entry(&object).instructions += cost.ok_or_else(|| format!("callgrind's line {line:?}"))?;
                }
            }
        }
        Ok(counts)
    }

    fn entry(&mut self, object: &str) -> &mut Count {
        self.objects.entry(object.to_owned()).or_default()
    }

    /// Returns the sum of the counts of the libraries for which `wanted` is true.
    pub fn of(&self, wanted: &dyn Fn(&str) -> bool) -> Count {
        let found = self.objects.iter().filter(|(object, _)| wanted(object)).map(|(_, count)| count);
        found.fold(Count::default(), |sum, count| Count {
            instructions: sum.instructions + count.instructions,
            allocations: sum.allocations + count.allocations,
        })
    }
}

const ALLOCATORS: [&str; 6] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"];

/// Resolves names: callgrind writes a name once with its number, `(3) malloc`, and later only the number, `(3)`.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn full(&mut self, written: &str) -> Result<String, String> {
        match written.split_once(' ') {
            Some((number, name)) if number.starts_with('(') => {
                self.0.insert(number.to_owned(), name.to_owned());
                Ok(name.to_owned())
            }
            _ if written.starts_with('(') => {
                self.0.get(written).cloned().ok_or_else(|| format!("callgrind names nothing {written}"))
            }
            _ => Ok(written.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_librarys_own_cost_and_its_calls_of_the_allocator() -> Result<(), String> {
        let text = "events: Ir\n\nob=(1) /x/libsuper8.so\nfl=(1) a.rs\nfn=(1) one\n10 7\n+2 5\ncob=(2) /lib/libc.so.6\n\
                    cfi=(2) malloc.c\ncfn=(2) malloc\ncalls=3 50 \n* 900\n* 1\n\nob=(2)\nfl=(2)\nfn=(2)\n50 900\n\
                    cfn=(2)\ncalls=1 50\n+1 20\n\nob=(1)\nfl=(1)\nfn=(3) two\n-3 2\n\ntotals: 915\n";
        let counts = Counts::parse(text)?;
        assert_eq!(counts.of(&is_super8), Count { instructions: 15, allocations: 3 });
        assert_eq!(counts.of(&|_| true), Count { instructions: 915, allocations: 4 });
        assert!(Counts::parse("ob=(1)\n").is_err() && Counts::parse("ob=x\n1 y\n").is_err());
        Ok(())
    }
}
