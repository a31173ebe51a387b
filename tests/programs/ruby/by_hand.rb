# A shop that is about to be empty, on a cassette that a person wrote: docs/how-to/mock.md.
require "odbc"

db = ODBC::Database.new.drvconnect(ARGV[0])
query = db.prepare("select name, price from fruit where price < ?")
puts "columns: #{query.columns(true).map { |column| [column.name, column.type, column.nullable] }.inspect}"
query.execute(5)
query.fetch_all.each { |row| puts "row: #{row.inspect}" }
query.drop
puts "gone: #{db.do("delete from fruit")}"
begin
  db.run("select nothing")
rescue ODBC::Error => error
  puts "error: #{error.message}"
end
puts "driver: #{db.get_info(ODBC::SQL_DBMS_NAME)} #{db.get_info(ODBC::SQL_DRIVER_ODBC_VER)}"
db.disconnect
puts "done: everything was asked"
