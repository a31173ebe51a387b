# A small library's tests, on ruby-odbc. CONNECTION is the connection string.
#
# CHANGED, LEFT_OUT and EXTRA each make one test do something else: another value, a statement less, one more.
require "odbc"

# One connection for all examples, as an engine or a pool has it.
LIBRARY = ODBC::Database.new
LIBRARY.drvconnect(ENV.fetch("CONNECTION"))
LIBRARY.do("create table if not exists shelves (title varchar(20))")

module Helpers
  def connect
    database = ODBC::Database.new
    database.drvconnect(ENV.fetch("CONNECTION"))
    yield database
  ensure
    database.disconnect
  end

  def rows(database, sql, *values)
    query = database.run(sql, *values)
    all = []
    while (row = query.fetch)
      all << row
    end
    all
  ensure
    query&.drop
  end
end

RSpec.configure do |config|
  config.include Helpers
  # the cassette of the example: super8 record 'tapes/%{EXAMPLE}' -- rspec
  config.around do |example|
    ENV["EXAMPLE"] = example.full_description.gsub(/\W+/, "_")
    example.run
    ENV["EXAMPLE"] = "setup"
  end
  config.register_ordering(:global, &:reverse) if ENV["REVERSED"]
  config.after(:suite) { LIBRARY.disconnect }
end
