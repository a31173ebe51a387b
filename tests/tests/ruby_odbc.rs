//! ruby-odbc, the binding that the super8 gem is for, all four ways.

use super8_tests::driver::Driver;
use super8_tests::program::Program;
use super8_tests::ways::four_ways;

#[test]
fn everything_a_ruby_program_asks() {
    for driver in [Driver::Sqlite, Driver::PostgresAnsi, Driver::MariaDb] {
        four_ways(&Program::ruby_odbc("everything.rb"), driver);
    }
}
