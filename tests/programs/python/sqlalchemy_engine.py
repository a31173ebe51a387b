"""SQLAlchemy as programs have it: an engine with its pool, tables that are made and reflected, mapped classes in sessions, and Core. It brings a dialect on
pyodbc for MariaDB. For SQLite and PostgreSQL it brings none: their own dialects are put on its connector for pyodbc, as users who have only ODBC do."""

import datetime
import decimal

import pyodbc
import sqlalchemy
from sqlalchemy import Column, Date, DateTime, ForeignKey, Integer, LargeBinary, MetaData, Numeric, String, Table, Text, func, select, text
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect, SQLiteExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from report import DIALECT, connect, done, tell


class CastString(String):
    render_bind_cast = True


class Postgres(PyODBCConnector, PGDialect):
    name = "postgresql"
    supports_statement_cache = True
    # the server is told that a parameter is text where nothing else says it, as in the questions to its catalog
    colspecs = {**PGDialect.colspecs, String: CastString}
    # of several rows in one statement the server takes each value for text, which bytes are not
    use_insertmanyvalues = False


class SQLiteContext(SQLiteExecutionContext):
    def get_lastrowid(self):
        # pyodbc's cursors have no lastrowid
        return self.cursor.execute("select last_insert_rowid()").fetchval()


class SQLite(PyODBCConnector, SQLiteDialect):
    name = "sqlite"
    supports_statement_cache = True
    execution_ctx_cls = SQLiteContext
    # the driver has no result for `insert ... returning`, and gives dates as dates
    insert_returning = update_returning = delete_returning = False
    colspecs = {}

    @classmethod
    def import_dbapi(cls):
        pyodbc.sqlite_version_info = (3, 40, 0)  # the dialect asks the module, as sqlite3 has it
        return pyodbc


registry.register("postgres.pyodbc", __name__, "Postgres")
registry.register("sqlite.pyodbc", __name__, "SQLite")


class Base(DeclarativeBase):
    pass


class Shelf(Base):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    fruit: Mapped[list["Fruit"]] = relationship(back_populates="shelf", order_by="Fruit.id", cascade="all, delete-orphan")


class Fruit(Base):
    __tablename__ = "fruit"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    shelf_id: Mapped[int] = mapped_column(ForeignKey("shelf.id"))
    name: Mapped[str] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(Text)
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(10, 2))
    picked: Mapped[datetime.date | None] = mapped_column(Date)
    seen: Mapped[datetime.datetime | None] = mapped_column(DateTime)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary(20))
    shelf: Mapped[Shelf] = relationship(back_populates="fruit")


def sessions(engine):
    with Session(engine) as session:
        session.add(
            Shelf(
                name="upper",
                fruit=[
                    Fruit(name="pear", price=decimal.Decimal("4.25"), picked=datetime.date(2026, 11, 21), note="Käse " * 300),
                    Fruit(name="plum", seen=datetime.datetime(2026, 11, 21, 12, 30, 15), picture=b"\x00\x01\xff"),
                ],
            )
        )
        session.add_all([Shelf(name=f"shelf {number}") for number in range(5)])
        session.commit()
        upper = session.scalars(select(Shelf).where(Shelf.name == "upper").options(selectinload(Shelf.fruit))).one()
        for fruit in upper.fruit:
            tell(fruit.name, (fruit.id, fruit.price and round(float(fruit.price), 2), fruit.picked, fruit.seen, fruit.picture and bytes(fruit.picture), len(fruit.note or "")))
        upper.fruit[0].price = decimal.Decimal("5")
        del upper.fruit[1]
        session.commit()
        tell("left", session.execute(select(Fruit.name, func.length(Fruit.name)).join(Shelf).order_by(Fruit.id)).all())
        try:
            with session.begin_nested():
                session.add(Shelf(name="upper"))
                session.flush()
        except sqlalchemy.exc.DBAPIError as error:
            tell("twice", type(error.orig).__name__)
        session.rollback()
        tell("shelves", session.scalar(select(func.count()).select_from(Shelf)))


def core(engine):
    amounts = Table("amounts", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False), Column("amount", Integer))
    with engine.begin() as connection:
        amounts.create(connection)
        connection.execute(amounts.insert(), [{"id": number, "amount": number * number} for number in range(40)])
        tell("updated", connection.execute(amounts.update().where(amounts.c.amount > 1000).values(amount=0)).rowcount)
    with engine.connect() as connection:
        result = connection.execution_options(yield_per=7).execute(select(amounts).order_by(amounts.c.id))
        tell("parts", [sum(row.amount for row in part) for part in result.partitions()])
        connection.execute(amounts.delete())
        connection.rollback()
        tell("kept", connection.scalar(text("select count(*) from amounts where id < :limit"), {"limit": 30}))
        try:
            connection.execute(text("select * from nothing"))
        except sqlalchemy.exc.DBAPIError as error:
            tell("error", (type(error).__name__, error.orig.args))
    return amounts


def catalog(engine):
    """Tables as the database has them."""
    inspector = sqlalchemy.inspect(engine)
    tell("tables", sorted(inspector.get_table_names()))
    for table in ("shelf", "fruit"):
        tell(table, [(column["name"], str(column["type"]).split("(")[0], column["nullable"]) for column in inspector.get_columns(table)])
        tell("keys", (inspector.get_pk_constraint(table)["constrained_columns"], [key["referred_table"] for key in inspector.get_foreign_keys(table)]))
    reflected = Table("amounts", MetaData(), autoload_with=engine)
    tell("reflected", reflected.columns.keys())


engine = sqlalchemy.create_engine(f"{DIALECT}+pyodbc://", creator=connect, pool_size=2, pool_pre_ping=True)
Base.metadata.create_all(engine)
sessions(engine)
amounts = core(engine)
catalog(engine)
amounts.drop(engine)
Base.metadata.drop_all(engine)
tell("tables", sqlalchemy.inspect(engine).get_table_names())
engine.dispose()
done()
