//! A Rust application on odbc-api: block fetches into text and native buffers, inserts in arrays, metadata, catalog
//! functions, transactions, errors, and connecting again. Prints all it sees. Arguments: connection string, dialect, and
//! `pooled` to ask the driver manager for a pool of connections.
#![allow(unsafe_code)]

use odbc_api::buffers::{BufferDesc, ColumnarDynBuffer, TextRowSet};
use odbc_api::sys::AttrConnectionPooling;
use odbc_api::{BindParamDesc, Connection, ConnectionOptions, Cursor, Environment, IntoParameter, ResultSetMetadata};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result {
    let mut arguments = std::env::args().skip(1);
    let connection_string = arguments.next().ok_or("no connection string")?;
    let dialect = arguments.next().ok_or("no dialect")?;
    if arguments.next().as_deref() == Some("pooled") {
        // SAFETY: before any environment, on the only thread.
        unsafe { Environment::set_connection_pooling(AttrConnectionPooling::OnePerDriver)? };
    }
    let environment = Environment::new()?;
    let connection = environment.connect_with_connection_string(
        &connection_string,
        ConnectionOptions { login_timeout_sec: Some(20), ..Default::default() },
    )?;
    println!("dbms {:?}", connection.database_management_system_name()?);
    println!("catalog {:?}", connection.current_catalog()?);
    if dialect == "by hand" {
        by_hand(&connection)?;
        println!("done: everything was asked");
        return Ok(());
    }

    create(&connection, &dialect)?;
    insert_rows(&connection)?;
    insert_text(&connection)?;
    insert_native(&connection)?;
    metadata(&connection)?;
    fetch_text(&connection)?;
    fetch_native(&connection)?;
    fetch_one_by_one(&connection)?;
    catalog(&connection)?;
    transactions(&connection)?;
    errors(&connection);
    drop(connection);
    for visit in 1..4 {
        let options = ConnectionOptions::default();
        let connection = environment.connect_with_connection_string(&connection_string, options)?;
        println!("visit {visit} on {:?}", connection.database_management_system_name()?);
        count(&connection, "still there")?;
    }
    println!("done: everything was asked");
    Ok(())
}

/// A shop that is about to be empty, on a cassette that a person wrote: docs/how-to/mock.md.
fn by_hand(connection: &Connection<'_>) -> Result {
    let query = "select name, price from fruit where price < ?";
    let mut cursor = connection.execute(query, &5.into_parameter(), None)?.ok_or("no result")?;
    println!("columns {:?}", cursor.column_names()?.collect::<std::result::Result<Vec<_>, _>>()?);
    let buffer = TextRowSet::for_cursor(2, &mut cursor, None)?;
    let mut blocks = cursor.bind_buffer(buffer)?;
    while let Some(block) = blocks.fetch()? {
        for row in 0..block.num_rows() {
            println!("row {:?} {:?}", block.at_as_str(0, row)?, block.at_as_str(1, row)?);
        }
    }
    drop(blocks);
    let mut statement = connection.preallocate()?;
    statement.execute("delete from fruit", ())?;
    println!("gone {:?}", statement.row_count()?);
    if let Err(error) = connection.execute("select nothing", (), None) {
        println!("error {error}");
    }
    Ok(())
}

fn create(connection: &Connection<'_>, dialect: &str) -> Result {
    let float = if dialect == "mariadb" { "double" } else { "double precision" };
    let sql = format!("create table reading (id integer primary key, place varchar(40), level {float}, day date)");
    println!("create: rows? {}", connection.execute(&sql, (), None)?.is_some());
    Ok(())
}

/// A prepared insert, executed again and again with single values.
fn insert_rows(connection: &Connection<'_>) -> Result {
    let mut prepared = connection.prepare("insert into reading (id, place, level, day) values (?, ?, ?, ?)")?;
    println!("parameters {}", prepared.num_params()?);
    for id in 1..=5 {
        let place = (id != 3).then(|| format!("räum {id} \u{1F600}"));
        prepared.execute((&id, &place.into_parameter(), &(f64::from(id) / 3.0), &"2024-02-29".into_parameter()))?;
        println!("insert {id}: {:?} rows", prepared.row_count()?);
    }
    Ok(())
}

/// An array of text parameters.
fn insert_text(connection: &Connection<'_>) -> Result {
    let prepared = connection.prepare("insert into reading (id, place) values (?, ?)")?;
    let mut inserter = prepared.into_text_inserter(20, [12, 40])?;
    for id in 100..117 {
        let (number, place) = (id.to_string(), format!("place {id}, \"quoted\""));
        inserter.append([Some(number.as_bytes()), (id % 5 != 0).then_some(place.as_bytes())].into_iter())?;
    }
    inserter.execute()?;
    println!("text array of {}", inserter.num_rows());
    inserter.clear();
    inserter.append([Some(&b"200"[..]), Some(&b""[..])].into_iter())?;
    inserter.execute()?;
    Ok(())
}

/// An array of integer and double parameters.
fn insert_native(connection: &Connection<'_>) -> Result {
    let prepared = connection.prepare("insert into reading (id, level) values (?, ?)")?;
    let mut inserter = prepared.into_column_inserter(8, [BindParamDesc::i32(false), BindParamDesc::f64(true)])?;
    inserter.set_num_rows(8);
    let ids = inserter.column_mut(0).as_slice::<i32>().ok_or("no integers")?;
    ids.iter_mut().enumerate().for_each(|(row, id)| *id = 300 + row as i32);
    let mut levels = inserter.column_mut(1).as_nullable_slice::<f64>().ok_or("no doubles")?;
    levels.write((0..8).map(|row| (row != 2).then_some(0.1 * f64::from(row))));
    inserter.execute()?;
    println!("native array of 8");
    Ok(())
}

fn metadata(connection: &Connection<'_>) -> Result {
    let mut prepared = connection.prepare("select id, place, level, day from reading where id > ?")?;
    println!("columns {}", prepared.num_result_cols()?);
    for column in 1..=4 {
        let name = prepared.col_name(column)?;
        println!(
            "{name}: {:?} {:?} unsigned {} size {:?}",
            prepared.col_data_type(column)?,
            prepared.col_nullability(column)?,
            prepared.column_is_unsigned(column)?,
            prepared.col_display_size(column)?
        );
    }
    Ok(())
}

/// Blocks of text; the last one is short.
fn fetch_text(connection: &Connection<'_>) -> Result {
    let sql = "select id, place, level, day from reading order by id";
    let mut cursor = connection.execute(sql, (), None)?.ok_or("no cursor")?;
    let mut buffer = TextRowSet::for_cursor(7, &mut cursor, Some(100))?;
    let mut blocks = cursor.bind_buffer(&mut buffer)?;
    while let Some(block) = blocks.fetch()? {
        println!("block of {}", block.num_rows());
        for row in 0..block.num_rows() {
            let cells = (0..block.num_cols()).map(|column| block.at(column, row).map(String::from_utf8_lossy));
            println!("  {:?}", cells.collect::<Vec<_>>());
        }
    }
    Ok(())
}

/// Blocks of integers, doubles and dates as they are in memory.
fn fetch_native(connection: &Connection<'_>) -> Result {
    let cursor = connection.execute("select id, level, day from reading order by id desc", (), None)?;
    let descriptions =
        [BufferDesc::I64 { nullable: false }, BufferDesc::F64 { nullable: true }, BufferDesc::Date { nullable: true }];
    let mut buffer = ColumnarDynBuffer::from_descs(10, descriptions);
    let mut blocks = cursor.ok_or("no cursor")?.bind_buffer(&mut buffer)?;
    while let Some(block) = blocks.fetch()? {
        println!("ids {:?}", block.column(0).as_slice::<i64>());
        let levels: Vec<_> =
            block.column(1).as_nullable_slice::<f64>().ok_or("no doubles")?.map(|x| x.copied()).collect();
        println!("levels {levels:?}");
        let days = block.column(2).as_nullable_slice::<odbc_api::sys::Date>().ok_or("no dates")?;
        println!("days {:?}", days.map(|day| day.copied()).collect::<Vec<_>>());
    }
    Ok(())
}

/// Rows one at a time, cells by SQLGetData.
fn fetch_one_by_one(connection: &Connection<'_>) -> Result {
    let sql = "select place from reading where id between ? and ? order by id";
    let (low, high): (i32, i32) = (1, 102);
    let mut cursor = connection.execute(sql, (&low, &high), None)?.ok_or("no cursor")?;
    let mut text = Vec::new();
    while let Some(mut row) = cursor.next_row()? {
        let there = row.get_text(1, &mut text)?;
        println!("{}", if there { String::from_utf8_lossy(&text) } else { "NULL".into() });
    }
    Ok(())
}

fn catalog(connection: &Connection<'_>) -> Result {
    // Without a catalog MariaDB lists the tables of all databases, other tests' among them.
    let maria = connection.database_management_system_name()?.to_lowercase().contains("maria");
    let catalog = if maria { connection.current_catalog()? } else { String::new() };
    for row in connection.tables(&catalog, "", "reading", "")? {
        let row = row?;
        println!("table {:?} {:?}", row.table.as_str(), row.table_type.as_str());
    }
    for row in connection.columns("", "", "reading", "")? {
        let row = row?;
        println!("column {:?} {} {:?}", row.column_name.as_str(), row.data_type, row.type_name.as_str());
    }
    for row in connection.primary_keys(None, None, "reading")? {
        let row = row?;
        println!("key {:?} {}", row.column.as_str(), row.key_seq);
    }
    Ok(())
}

fn transactions(connection: &Connection<'_>) -> Result {
    connection.set_autocommit(false)?;
    count(connection, "before")?;
    connection.execute("delete from reading where id > 200", (), None)?;
    count(connection, "deleted")?;
    connection.rollback()?;
    count(connection, "rolled back")?;
    connection.execute("delete from reading where id > 305", (), None)?;
    connection.commit()?;
    connection.set_autocommit(true)?;
    count(connection, "committed")
}

fn count(connection: &Connection<'_>, when: &str) -> Result {
    let mut cursor = connection.execute("select count(*) from reading", (), None)?.ok_or("no cursor")?;
    let mut number = 0i64;
    cursor.next_row()?.ok_or("no row")?.get_data(1, &mut number)?;
    println!("{when}: {number}");
    Ok(())
}

fn errors(connection: &Connection<'_>) {
    for sql in ["select nothing from nowhere", "insert into reading (id) values (1)"] {
        match connection.execute(sql, (), None) {
            Ok(_) => println!("{sql}: no error"),
            Err(error) => println!("{sql}: {error}"),
        }
    }
}
