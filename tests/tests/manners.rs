//! Where drivers differ, a recording must not make them alike: the table at the head of `programs/c/manners.c`, a column a test,
//! over the test driver, Unicode and ANSI, in both formats.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

fn manners(like: &str) {
    for driver in [Driver::Test, Driver::TestAnsi] {
        four_ways(&Program::c("manners.c").with_argument(like), driver);
    }
}

#[test]
fn of_a_driver_like_sqlites() {
    manners("sqlite");
}

#[test]
fn of_a_driver_like_postgresqls() {
    manners("postgres");
}

#[test]
fn of_a_driver_like_mariadbs() {
    manners("mariadb");
}
