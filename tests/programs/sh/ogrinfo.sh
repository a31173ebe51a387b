# What GDAL's ogrinfo does over ODBC: tables as layers with their columns and keys, queries, filters, nulls, long texts, errors.
# Each call is a process of its own.
source="ODBC:$1,ogr_item"
run() {
    printf '%s\n' "== $*"
    ogrinfo -ro "$source" "$@" 2>&1
    echo "exit code $?"
}
long=$(printf '%0900d' 7)

run -q -sql "create table ogr_item (id integer not null primary key, name varchar(20),
    price double precision, day date, moment timestamp null, note varchar(1000))"
run -q -sql "insert into ogr_item values (1, 'apple', 1.5, '2026-11-21', '2026-11-21 12:30:45', 'short'),
    (2, 'pear', 0.25, '2025-01-01', null, '$long'), (3, null, null, null, null, null)"
run -al
run -q -where "price > 1" ogr_item
run -q -fid 2 ogr_item
run -q -sql "select name, price * 2 as twice, day from ogr_item where id < 3 order by price"
run -q -sql "delete from ogr_item where id = 3"
run -q -sql "insert into ogr_item values (1, 'again', 1, null, null, null)"
run -q -sql "select colour from ogr_item"
echo "done: everything was asked"
