// What a Qt program does: QSqlDatabase with QODBC, queries with named and positional values, batches, forward-only and scrollable
// results, the record and index of a table, a table model, transactions, errors.
#include <QtCore/QCoreApplication>
#include <QtCore/QDate>
#include <QtCore/QTextStream>
#include <QtSql/QtSql>

static QTextStream out(stdout);

static void tell(const QString &what, const QVariant &value) {
    QString text = value.isNull() ? "null" : value.toString();
    out << what << ": " << (text.size() > 200 ? QString::number(text.size()) + " characters" : text) << "\n";
}

static void rows(const QString &what, QSqlQuery &query) {
    while (query.next())
        for (int at = 0; at < query.record().count(); at++) tell(what + "." + query.record().fieldName(at), query.value(at));
}

int main(int count, char **arguments) {
    QCoreApplication application(count, arguments);
    QSqlDatabase db = QSqlDatabase::addDatabase("QODBC");
    // By driver: Qt takes a string without DRIVER for the name of a data source.
    db.setDatabaseName(arguments[3]);
    if (!db.open()) {
        tell("no connection", db.lastError().text());
        return 1;
    }
    for (auto feature : {QSqlDriver::Transactions, QSqlDriver::QuerySize, QSqlDriver::BLOB, QSqlDriver::Unicode, QSqlDriver::PreparedQueries,
                         QSqlDriver::MultipleResultSets})
        tell("feature", db.driver()->hasFeature(feature));
    QSqlQuery query(db);
    tell("created", query.exec("create table qt_item (id integer primary key, name varchar(20), price double precision, day date, note varchar(9000))"));
    query.exec("insert into qt_item values (1, 'apple', 1.5, '2026-11-21', 'short')");
    tell("inserted", query.numRowsAffected());
    query.prepare("insert into qt_item values (:id, :name, :price, :day, :note)");
    query.bindValue(":id", 2);
    query.bindValue(":name", QString::fromUtf8("Käse"));
    query.bindValue(":price", 0.25);
    query.bindValue(":day", QDate(2025, 1, 1));
    query.bindValue(":note", QString(8000, 'x'));
    tell("bound", query.exec());
    for (const char *name : {":name", ":price", ":day", ":note"}) query.bindValue(name, QVariant(QVariant::String));
    query.bindValue(":id", 3);
    tell("nulls", query.exec());
    query.prepare("insert into qt_item (id, name) values (?, ?)");
    query.addBindValue(QVariantList{4, 5, 6});
    query.addBindValue(QVariantList{"fig", "plum", QVariant(QVariant::String)});
    tell("batch", query.execBatch());
    query.setForwardOnly(true);
    query.exec("select id, name, price, day, note from qt_item order by id");
    rows("row", query);
    QSqlQuery scrolled(db);
    scrolled.exec("select id, name from qt_item order by id");
    tell("last", scrolled.last() ? scrolled.value(0) : "no");
    tell("previous", scrolled.previous() ? scrolled.value(0) : "no");
    tell("seek", scrolled.seek(1) ? scrolled.value(1) : "no");
    tell("at", scrolled.at());
    scrolled.prepare("select count(*) from qt_item where price < ?");
    for (double limit : {1.0, 99.0}) {
        scrolled.bindValue(0, limit);
        scrolled.exec();
        rows("below", scrolled);
    }
    QSqlRecord record = db.record("qt_item");
    for (int at = 0; at < record.count(); at++) tell("field " + record.fieldName(at), record.field(at).length());
    tell("primary key", db.primaryIndex("qt_item").fieldName(0));
    tell("table", db.tables().filter("qt_item").join(" "));
    {
        QSqlTableModel model(nullptr, db);
        model.setTable("qt_item");
        model.setSort(0, Qt::AscendingOrder);
        tell("model", model.select());
        tell("cell", model.data(model.index(1, 1)));
    }
    query.finish();
    scrolled.finish();
    for (bool kept : {false, true}) {
        tell("begun", db.transaction());
        query.exec("delete from qt_item where id = 1");
        tell("ended", kept ? db.commit() : db.rollback());
        query.exec("select count(*) from qt_item");
        rows(kept ? "gone" : "still there", query);
    }
    query.exec("select * from nothing");
    tell("no table", query.lastError().text());
    tell("native", query.lastError().nativeErrorCode());
    out << "done: everything was asked\n";
    out.flush();
    // Statements first: a query that outlives its connection is an error of the program's.
    query = QSqlQuery();
    scrolled = QSqlQuery();
    db.close();
}
