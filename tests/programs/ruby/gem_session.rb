# What tests/tests/gem was recorded of, by the super8 gem in its versions 0.0.1, 0.1.0 and 0.2.1 (schema 1, 2 and 3): plain
# ruby-odbc. Version 1 knew a single connection: "single". With "changed" one statement is another one.
require "odbc"

def show(columns)
  columns.each_value do |column|
    facts = [column.name, column.table, column.type, column.length, column.nullable, column.scale, column.precision]
    puts "  " + (facts + [column.searchable, column.unsigned, column.instance_variable_get(:@autoincrement)]).inspect
  end
end

def rows(result) = puts("#{(result || []).length} rows", (result || []).map { |row| "  " + row.inspect })

def session(shop, ledger)
  customers = shop.run("select id, name, note, city\n  from customer\n order by id")
  ledger ||= shop
  orders = ledger.run("select * from orders where customer = ?", "003")
  show(customers.columns)
  rows(customers.fetch_all)
  rows(orders.fetch_all)
  show(orders.columns)
  orders.drop
  customers.drop
  none = shop.run("select name from customer where id = 'none'")
  rows(none.fetch_all)
  none.drop
  one = shop.run("select name from customer where id = '00#{ARGV.include?("changed") ? 3 : 2}'")
  rows(one.fetch_all)
  one.close
  insert = ledger.run("insert into orders values ('0003', '002', '1')")
  insert.drop
end

ODBC.connect("shop") do |shop|
  if ARGV.include?("single")
    session(shop, nil)
  else
    ODBC.connect("ledger") { |ledger| session(shop, ledger) }
  end
end
