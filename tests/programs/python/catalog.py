"""Catalog functions and getinfo as pyodbc offers them."""

import pyodbc

from report import attempt, connect, done, tell

connection = connect()
cursor = connection.cursor()
cursor.execute("create table parent (id integer not null primary key, name varchar(30))")
cursor.execute("create table child (id integer not null primary key, parent_id integer not null, note varchar(10), foreign key (parent_id) references parent (id))")
cursor.execute("create unique index child_note on child (note)")
connection.commit()


def rows(label, ask):
    """Rows without what PostgreSQL's driver adds to the standard's columns: object ids among them."""
    attempt(label, lambda: [tuple(row)[:18] for row in ask()])
    if cursor.description:
        tell("  columns", [column[:2] for column in cursor.description])


# Without a catalog MariaDB lists the tables of all databases, other tests' among them.
catalog = connection.getinfo(pyodbc.SQL_DATABASE_NAME) if "maria" in connection.getinfo(pyodbc.SQL_DBMS_NAME).lower() else None
rows("tables", lambda: cursor.tables(catalog=catalog, table="child"))
rows("all tables", lambda: cursor.tables(catalog=catalog, table="%", tableType="TABLE"))
rows("columns", lambda: cursor.columns(table="child"))
rows("columns like", lambda: cursor.columns(table="par%", column="na%"))
rows("primary keys", lambda: cursor.primaryKeys("child"))
rows("foreign keys", lambda: cursor.foreignKeys(foreignTable="child"))
rows("statistics", lambda: cursor.statistics("child"))
rows("row id", lambda: cursor.rowIdColumns("child"))
rows("row version", lambda: cursor.rowVerColumns("child"))
rows("procedures", lambda: cursor.procedures(procedure="no_such_thing"))
rows("types", lambda: cursor.getTypeInfo())
rows("one type", lambda: cursor.getTypeInfo(pyodbc.SQL_VARCHAR))
for name in ("DBMS_NAME", "DATABASE_NAME", "USER_NAME", "IDENTIFIER_QUOTE_CHAR", "CATALOG_TERM", "KEYWORDS", "MAX_COLUMN_NAME_LEN",
             "ACCESSIBLE_TABLES", "TXN_CAPABLE", "SQL_CONFORMANCE", "NUMERIC_FUNCTIONS", "DRIVER_ODBC_VER", "SEARCH_PATTERN_ESCAPE"):
    attempt(f"info {name}", lambda: connection.getinfo(getattr(pyodbc, f"SQL_{name}")))
attempt("info of nothing", lambda: connection.getinfo(64000))
connection.close()
done()
