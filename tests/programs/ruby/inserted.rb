# Test after test in one process, each with its cassette. ODBC's functions are called as they are, through Fiddle.
require_relative "super8_cassettes"

string, _dialect, mode, library = ARGV
$cassettes = Cassettes.new(library)

module ODBC
  MANAGER = Fiddle.dlopen("libodbc.so.2")
  P, S, I = Fiddle::TYPE_VOIDP, Fiddle::TYPE_SHORT, Fiddle::TYPE_INT

  def self.call(name, types, *arguments)
    result = Fiddle::Function.new(MANAGER[name], types, S).call(*arguments)
    raise "#{name} -> #{result} #{diagnostic(arguments[0]) if name == "SQLDriverConnect"}" unless [0, 1].include?(result)
    result
  end

  def self.diagnostic(dbc)
    text = "\0" * 1000
    types = [S, P, S, P, P, P, S, P]
    Fiddle::Function.new(MANAGER["SQLGetDiagRec"], types, S).call(2, dbc, 1, nil, nil, text, text.bytesize, nil)
    text.delete("\0")
  end

  def self.allocate(kind, parent)
    place = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
    call("SQLAllocHandle", [S, P, P], kind, parent, place)
    place.ptr
  end

  # The first column of the first row that each text gives, on a connection of its own.
  def self.ask(string, *texts)
    env = allocate(1, nil)
    call("SQLSetEnvAttr", [P, I, P, I], env, 200, 3, 0)
    dbc = allocate(2, env)
    call("SQLDriverConnect", [P, P, P, S, P, S, P, Fiddle::TYPE_SHORT], dbc, nil, string, -3, nil, 0, nil, 0)
    answers = texts.map do |text|
      stmt = allocate(3, dbc)
      call("SQLExecDirect", [P, P, I], stmt, text, -3)
      call("SQLFetch", [P], stmt)
      cell = "\0" * 100
      call("SQLGetData", [P, S, S, P, Fiddle::TYPE_LONG, P], stmt, 1, 1, cell, cell.bytesize, nil)
      call("SQLFreeHandle", [S, P], 3, stmt)
      cell.delete("\0")
    end
    call("SQLDisconnect", [P], dbc)
    call("SQLFreeHandle", [S, P], 2, dbc)
    call("SQLFreeHandle", [S, P], 1, env)
    answers
  end
end

$cassettes.use("cassettes/one", mode: mode) { puts "one: #{ODBC.ask(string, "select 1", "select 11")}" }
$cassettes.use("cassettes/two", mode: mode) { puts "two: #{ODBC.ask(string, "select 2")}" }
if mode == "replay"
  begin
    $cassettes.use("cassettes/one", mode: mode) do
      puts "in part: #{ODBC.ask(string, "select 1")}"
      puts "left: #{$cassettes.unplayed("cassettes/one").positive?}"
    end
  rescue RuntimeError => error
    puts "unplayed: #{error.message.include?("select 11")}"
  end
  begin
    $cassettes.use("cassettes/two", mode: mode) { ODBC.ask(string, "select 9") rescue puts "swallowed" }
  rescue RuntimeError => error
    puts "mismatch: #{error.message.include?("what to do:")}"
  end
  $cassettes.use("cassettes/two", mode: mode) { puts "again: #{ODBC.ask(string, "select 2")}" }
end
puts "done: everything was asked"
