// What a C++ program on SOCI does: a session, bound values with indicators, bulk inserts and fetches, row sets, prepared statements,
// dates, long texts, transactions, errors.
#include <soci/odbc/soci-odbc.h>
#include <soci/soci.h>
#include <cstring>
#include <iostream>
#include <vector>

using namespace soci;

static void failing(session &sql, const char *what, const char *text) {
    try {
        sql << text;
        std::cout << what << ": no error\n";
    } catch (const odbc_soci_error &error) {
        std::cout << what << ": " << error.odbc_error_code() << " " << error.native_error_code() << " " << error.what() << "\n";
    }
}

static void tell(const row &found) {
    for (std::size_t at = 0; at != found.size(); at++) {
        std::cout << found.get_properties(at).get_name() << "=";
        if (found.get_indicator(at) == i_null) {
            std::cout << "null ";
            continue;
        }
        switch (found.get_properties(at).get_data_type()) {
        case dt_string: {
            const std::string text = found.get<std::string>(at);
            std::cout << (text.size() > 100 ? std::to_string(text.size()) + " characters" : text);
            break;
        }
        case dt_double: std::cout << found.get<double>(at); break;
        case dt_integer: std::cout << found.get<int>(at); break;
        case dt_long_long: std::cout << found.get<long long>(at); break;
        case dt_unsigned_long_long: std::cout << found.get<unsigned long long>(at); break;
        case dt_date: {
            const std::tm day = found.get<std::tm>(at);
            std::cout << day.tm_year + 1900 << "-" << day.tm_mon + 1 << "-" << day.tm_mday;
            break;
        }
        default: std::cout << "?";
        }
        std::cout << " ";
    }
    std::cout << "\n";
}

int main(int, char **arguments) {
    connection_parameters parameters("odbc", arguments[1]);
    parameters.set_option(odbc_option_driver_complete, "0" /* SQL_DRIVER_NOPROMPT */);
    session sql(parameters);
    std::cout << "backend: " << sql.get_backend_name() << "\n";
    sql << "create table soci_item (id integer not null, name varchar(20), price double precision, day date, note varchar(9000))";
    sql << "insert into soci_item values (1, 'apple', 1.5, '2026-11-21', 'short')";
    {
        int id = 2;
        double price = 0.25;
        std::string name = "Käse", note(8000, 'x');
        indicator none = i_null;
        sql << "insert into soci_item (id, name, price, note) values (:id, :name, :price, :note)", use(id), use(name), use(price), use(note);
        id = 3;
        sql << "insert into soci_item (id, name, price) values (:id, :name, :price)", use(id), use(name, none), use(price, none);
    }
    {
        std::vector<int> ids = {4, 5, 6};
        std::vector<std::string> names = {"fig", "plum", "quince"};
        std::vector<indicator> there = {i_ok, i_ok, i_null};
        statement insert = (sql.prepare << "insert into soci_item (id, name) values (:id, :name)", use(ids), use(names, there));
        insert.execute(true);
        std::cout << "inserted: " << insert.get_affected_rows() << "\n";
    }
    {
        rowset<row> all = (sql.prepare << "select id, name, price, day, note from soci_item order by id");
        for (const row &found : all) tell(found);
    }
    {
        std::vector<int> ids(4);
        std::vector<std::string> names(4);
        std::vector<indicator> there;
        statement select = (sql.prepare << "select id, name from soci_item where id > 2 order by id", into(ids), into(names, there));
        select.execute();
        while (select.fetch()) {
            for (std::size_t at = 0; at != ids.size(); at++)
                std::cout << "block: " << ids[at] << " " << (there[at] == i_null ? "null" : names[at]) << "\n";
            ids.resize(4), names.resize(4);
        }
    }
    {
        int limit = 0, count = 0;
        statement counting = (sql.prepare << "select count(*) from soci_item where id < :limit", use(limit), into(count));
        for (int next : {3, 100}) {
            limit = next;
            counting.execute(true);
            std::cout << "below " << limit << ": " << count << "\n";
        }
        std::string name;
        sql << "select name from soci_item where id = 99", into(name);
        std::cout << "got data: " << sql.got_data() << "\n";
    }
    failing(sql, "no table", "select * from nothing");
    for (bool kept : {false, true}) {
        transaction changes(sql);
        sql << "delete from soci_item where id = 1";
        kept ? changes.commit() : changes.rollback();
        int count = 0;
        sql << "select count(*) from soci_item", into(count);
        std::cout << (kept ? "committed: " : "rolled back: ") << count << "\n";
    }
    sql.close();
    std::cout << "done: everything was asked\n";
}
