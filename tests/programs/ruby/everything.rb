# What a program on ruby-odbc does: statements with and without parameters, every way of fetching, columns, catalog,
# transactions, errors.
require "odbc"

string, _dialect = ARGV

def tell(what, value) = puts("#{what}: #{value.inspect}")

# Ruby's ODBC::Date, ODBC::Time and ODBC::TimeStamp as text.
def plain(row)
  row&.map { |cell| cell.class.name.start_with?("ODBC::") ? cell.to_s : cell }
end

def failing(what)
  yield
  puts "#{what}: no error"
rescue ODBC::Error => error
  puts "#{what}: #{error.message}"
end

db = ODBC::Database.new.drvconnect(string)
db.do("create table ruby_item (id integer, name varchar(20), price double precision, day date, at timestamp, note varchar(9000))")
tell "inserted", db.do("insert into ruby_item values (1, 'apple', 1.5, '2026-11-21', '2026-11-21 12:30:45', 'short')")
insert = db.prepare("insert into ruby_item values (?, ?, ?, ?, ?, ?)")
[[2, "pear", 0.25, "2025-01-01", "2025-01-01 00:00:00", "x" * 8000], [3, nil, nil, nil, nil, nil], [4, "Käse", -1e20, nil, nil, ""]].each do |row|
  insert.execute(*row)
  tell "rows", insert.nrows
end
insert.drop

all = db.run("select * from ruby_item order by id")
all.columns(true).each { |column| tell column.name, [column.type, column.nullable, column.scale, column.searchable] }
tell "ncols", all.ncols
all.fetch_all.each { |row| tell "row", plain(row).map { |cell| cell.is_a?(String) && cell.size > 100 ? cell.size : cell } }
all.drop

some = db.run("select id, name from ruby_item where id > ? order by id", 1)
tell "first", some.fetch
tell "hash", some.fetch_hash
tell "many", some.fetch_many(5)
tell "end", some.fetch
some.drop
db.run("select name, id from ruby_item order by id") do |statement|
  statement.each_hash { |row| tell "each", row }
end
tell "none", db.run("select id from ruby_item where id > 99").fetch_all

db.tables("ruby_item") { |tables| tables.each_hash { |row| tell "table", row.values_at("TABLE_NAME", "TABLE_TYPE") } }
failing("no table") { db.run("select * from nothing") }
failing("no text") { db.run("insert into ruby_item (id) values ('x', 1)") }

db.autocommit = false
db.do("delete from ruby_item where id = 1")
db.rollback
tell "still there", db.run("select count(*) from ruby_item").fetch[0].to_i
db.do("delete from ruby_item where id = 1")
db.commit
tell "gone", db.run("select count(*) from ruby_item").fetch[0].to_i
db.autocommit = true
db.drop_all
db.disconnect
puts "done: everything was asked"
