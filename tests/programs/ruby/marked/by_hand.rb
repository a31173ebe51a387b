# Cassettes as the super8 gem has them, without a test framework.
require "odbc"
require "super8"

def price(name)
  shop = ODBC.connect("shop")
  query = shop.run("select 4 where ? = 'pear'", name)
  row = query.fetch
  query.drop
  shop.disconnect
  row&.first
end

p Super8.use_cassette("pears", order: :connection) { price("pear") }
mode = ARGV.first == "record" ? :all : :none
p(Super8.use_cassette("plums", record: mode) { price("plum") })
begin
  Super8.use_cassette("plums", mode: mode) { raise "a failure" }
rescue RuntimeError => error
  puts error.message
end
begin
  Super8.use_cassette("plums", mode: :none) { nil }
rescue Super8::NotAsRecorded => error
  puts error.message.include?("nothing connected")
end
begin
  Super8.use_cassette("plums", oder: :connection) { nil }
rescue Super8::Error => error
  puts error.message.include?("Super8Oder")
end
