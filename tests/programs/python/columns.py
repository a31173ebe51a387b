# What programs do that want columns, not rows: arrow-odbc and polars, adbcBridge, DuckDB's odbc_scanner, pandas. One per argument, because
# each brings its own way of binding buffers.
import sys
import warnings

warnings.filterwarnings("ignore", message="pandas only supports SQLAlchemy")
source, _, by_driver, library = sys.argv[1:5]
SQL = "select id, name, price, day, note from columns order by id"


def show(table):
    for row in table.to_pylist():
        print({name: value if len(str(value)) < 100 else len(value) for name, value in row.items()})


def arrow_odbc():
    import arrow_odbc
    import polars
    import pyarrow

    connection = arrow_odbc.connect(source)
    for statement in (
        "create table columns (id integer, name varchar(20), price double precision, day date, note varchar(9000))",
        "insert into columns values (1, 'apple', 1.5, '2026-11-21', 'short')",
        "insert into columns values (2, 'K\u00e4se', null, null, null)",
    ):
        print(statement[:20], list(connection.read_arrow_batches(query=statement)))
    rows = pyarrow.RecordBatch.from_pydict(
        {
            "id": pyarrow.array([3, 4, 5], pyarrow.int32()),
            "name": pyarrow.array(["fig", None, "plum"]),
            "price": pyarrow.array([0.25, 7.0, None], pyarrow.float64()),
            "note": pyarrow.array(["x" * 8000, "", None]),
        }
    )
    reader = pyarrow.RecordBatchReader.from_batches(rows.schema, [rows])
    connection.insert_into_table(reader=reader, chunk_size=2, table="columns")
    for options in ({"batch_size": 2, "max_text_size": 9000}, {"max_bytes_per_batch": 50000, "max_text_size": 9000}):
        for batch in connection.read_arrow_batches(query=SQL, **options):
            print(batch.schema.names, [str(kind) for kind in batch.schema.types])
            show(batch)
    for batch in connection.read_arrow_batches(query=SQL.replace("order", "where price < ? order"), parameters=["5"], batch_size=3, max_text_size=9000):
        show(batch)
    print(polars.read_database(query=SQL.replace(", note", ""), connection=by_driver))
    try:
        connection.read_arrow_batches(query="select * from nothing")
    except arrow_odbc.Error as error:
        print(str(error))


def adbc():
    import adbcbridge
    import pyarrow

    with adbcbridge.connect(uri=source, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("create table columns (id integer, name varchar(20), price double precision, day date, note varchar(9000))")
        cursor.execute("insert into columns values (1, 'apple', 1.5, '2026-11-21', 'short')")
        cursor.executemany("insert into columns (id, name, price) values (?, ?, ?)", [(2, "pear", 0.25), (3, None, None)])
        print("rows", cursor.rowcount)
        cursor.execute(SQL)
        table = cursor.fetch_arrow_table()
        print([(field.name, str(field.type)) for field in table.schema])
        show(table)
        cursor.execute("select id, name from columns where price < ? order by id", (5.0,))
        print(cursor.fetchall())
        cursor.adbc_ingest("taken", pyarrow.table({"id": [7, 8], "name": ["fig", None]}), mode="create")
        cursor.execute("select * from taken order by id")
        show(cursor.fetch_arrow_table())
        print(connection.adbc_get_table_types())
        print(connection.adbc_get_table_schema("columns").names)
        try:
            cursor.execute("select * from nothing")
        except Exception as error:
            print(type(error).__name__, str(error))


def duckdb():
    import duckdb
    import duckdb_extension_odbc_scanner
    from pathlib import Path

    database = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    extension = next(Path(duckdb_extension_odbc_scanner.__file__).parent.rglob("*.duckdb_extension"))
    database.execute(f"load '{extension}'")
    database.execute("set variable connection = odbc_connect(?)", [source])
    run = lambda sql: print(sql[:30], database.execute("from odbc_query(getvariable('connection'), ?)", [sql]).fetchall())
    run("create table columns (id integer, name varchar(20), price double precision, day date, note varchar(9000))")
    run("insert into columns values (1, 'apple', 1.5, '2026-11-21', 'short')")
    run("insert into columns values (2, 'K\u00e4se', null, null, '" + "x" * 3000 + "')")
    result = database.execute("select * replace (length(note) as note) from odbc_query(getvariable('connection'), ?)", [SQL])
    print([(column[0], str(column[1])) for column in result.description], result.fetchall())
    select = "select count(*) as n from columns where price < ?"
    print(database.execute("from odbc_query(getvariable('connection'), ?, params=row(5.0::double))", [select]).fetchall())
    try:
        run("select * from nothing")
    except duckdb.Error as error:
        print(type(error).__name__, str(error))
    database.execute("select odbc_close(getvariable('connection'))")


def pandas():
    import pandas
    import pyodbc

    connection = pyodbc.connect(source, autocommit=True)
    connection.execute("create table columns (id integer, name varchar(20), price double precision, day date, note varchar(9000))")
    frame = pandas.DataFrame({"id": [1, 2, 3], "name": ["apple", "pear", None], "price": [1.5, 0.25, 7.0]}).astype(object)
    rows = frame.where(frame.notna(), None).values.tolist()
    connection.cursor().executemany("insert into columns (id, name, price) values (?, ?, ?)", rows)
    print(pandas.read_sql("select id, name, price from columns order by id", connection).to_dict("records"))
    for chunk in pandas.read_sql("select id, name from columns where price < ? order by id", connection, params=[5], chunksize=1):
        print(chunk.to_dict("records"))


{"arrow-odbc": arrow_odbc, "adbc": adbc, "duckdb": duckdb, "pandas": pandas}[library]()
print("done: everything was asked")
