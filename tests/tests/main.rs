//! The end-to-end tests, in one binary so that PostgreSQL and MariaDB start once. One file per subject.

mod c_interface;
mod c_programs;
mod cli_install;
mod cli_show;
mod cli_wrap;
mod connect_scope;
mod connections;
mod golden;
mod interrupted;
mod isql;
mod manager_versions;
mod mismatch;
mod odbc_api;
mod parameters;
mod pyodbc;
mod real_driver;
mod replay_alone;
mod rows_elsewhere;
mod secrets;
mod selection;
mod sessions;
mod stable_bytes;
mod symbols;
mod two_drivers;
mod verdict;
mod without_manager;
