# A cassette for each test, through super8's C interface.
require "fiddle"

class Cassettes
  UNUSED = 3 # nothing connected while the cassette was inserted

  # `library` is libsuper8.so, in the directory that odbcinst.ini names for super8.
  def initialize(library)
    # Not Fiddle.dlopen, which would put super8's ODBC functions before the driver manager's for the whole process.
    super8 = Fiddle::Handle.new(library, Fiddle::RTLD_LAZY)
    text, int, size = Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT, Fiddle::TYPE_SIZE_T
    @insert = Fiddle::Function.new(super8["super8_insert"], [text, text, text], int)
    @eject = Fiddle::Function.new(super8["super8_eject"], [text], int)
    @discard = Fiddle::Function.new(super8["super8_discard"], [text], int)
    @unplayed = Fiddle::Function.new(super8["super8_unplayed"], [text], Fiddle::TYPE_LONG_LONG)
    @last_error = Fiddle::Function.new(super8["super8_last_error"], [text, size], size)
  end

  # Connections made in the block record or replay this cassette. Fails if it is not played as it was recorded.
  def use(directory, mode: "once", options: nil)
    raise last_error unless @insert.call(directory, mode, options).zero?
    begin
      result = yield
    rescue Exception
      @discard.call(directory) # the test has said why it failed: what it recorded replaces nothing
      raise
    end
    raise last_error unless [0, UNUSED].include?(@eject.call(directory))
    result
  end

  def unplayed(directory)
    @unplayed.call(directory)
  end

  def last_error
    buffer = "\0" * (@last_error.call(nil, 0) + 1)
    @last_error.call(buffer, buffer.bytesize)
    buffer.chomp("\0").force_encoding("UTF-8")
  end
end
