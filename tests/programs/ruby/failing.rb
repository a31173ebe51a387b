# Moves fruit from one shelf to another in a transaction. What it does with an error is the mode: `passes`, `retries`, `swallows`,
# `commits` or `crashes`.
require "odbc"

connection_string, mode = ARGV[0], ARGV[-1]

move = lambda do
  db = ODBC::Database.new.drvconnect(connection_string)
  begin
    db.autocommit = false
    db.do("update shelf set amount = amount - 3 where name = 'upper'")
    begin
      db.do("update shelf set amount = amount + 3 where name = 'lower'")
    rescue ODBC::Error
      Process.kill(:ABRT, Process.pid) && sleep if mode == "crashes"
      next if mode == "swallows"
      raise unless mode == "commits"
    end
    db.commit
    puts db.run("select name, amount from shelf order by name").fetch_all.inspect
  ensure
    begin
      db.rollback
    rescue ODBC::Error
      warn "the connection is gone"
    end
    db.drop_all
    db.disconnect
  end
end

tries = mode == "retries" ? 3 : 1
begin
  move.call
rescue ODBC::Error => error
  warn error.message
  retry if (tries -= 1) > 0
  exit 1
end
puts "done: everything was asked"
