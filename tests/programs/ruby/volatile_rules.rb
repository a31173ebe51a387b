# The program makes an id, a code and a time of its own, and asks with a list in an order of its own. It may run again on the same
# database. `other` asks for another id than it wrote.
require "odbc"
require "securerandom"

made, code, moment = SecureRandom.uuid, rand(10**8...10**9), Time.now.strftime("%Y-%m-%d %H:%M:%S.%6N")
asked = ARGV.last == "other" ? SecureRandom.uuid : made

def tell(what, found, wrote) = puts("#{what}: #{found == wrote ? "what it wrote" : "#{found.inspect} instead of #{wrote.inspect}"}")

db = ODBC::Database.new.drvconnect(ARGV[0])
db.do("create table if not exists r (id char(36), code integer, at varchar(40))")
db.do("insert into r values (?, ?, ?)", made, code, moment)
tell "code and time", db.run("select code, at from r where id = ?", asked).fetch, [code, moment]
tell "id", db.run("select id from r where code = #{code}").fetch, [made]
listed = (1..8).to_a.shuffle
puts "by literals: #{db.run("select count(*) from r where code in (#{listed.join(", ")})").fetch}"
db.drop_all
db.disconnect
puts "done: everything was asked"
