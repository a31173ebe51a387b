//! Calls that no packaged driver answers, over the test driver (`programs/test_driver`).

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

#[test]
fn the_test_driver_itself() {
    for driver in [Driver::Test, Driver::TestAnsi] {
        four_ways(&Program::c("test_driver.c"), driver);
    }
}
