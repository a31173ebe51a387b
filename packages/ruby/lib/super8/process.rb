# frozen_string_literal: true

require "fiddle"
require "json"
require "open3"

# Sets up super8 in this process: the configuration that puts it in front of every driver, and its C interface.
module Super8
  COMMAND = File.expand_path("../../libexec/super8", __dir__)

  # super8 cannot do what it was asked to do: a misspelt setting, an incomplete cassette, a recording that cannot be
  # written.
  class Error < StandardError; end

  # super8's library, the same instance that the driver manager uses.
  class Library
    # The results of super8_eject, as in shim/include/super8.h.
    OK, UNPLAYED, MISMATCH, UNUSED, NOT_REPLAYED = 0, 1, 2, 3, 4

    def initialize(path)
      # Not Fiddle.dlopen, which would make the whole process find super8's ODBC functions before the driver manager's.
      super8 = Fiddle::Handle.new(path, Fiddle::RTLD_LAZY)
      text, int, size = Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT, Fiddle::TYPE_SIZE_T
      @insert = Fiddle::Function.new(super8["super8_insert"], [text, text, text], int)
      @eject = Fiddle::Function.new(super8["super8_eject"], [text], int)
      @discard = Fiddle::Function.new(super8["super8_discard"], [text], int)
      @unplayed = Fiddle::Function.new(super8["super8_unplayed"], [text], Fiddle::TYPE_LONG_LONG)
      @last_error = Fiddle::Function.new(super8["super8_last_error"], [text, size], size)
    end

    def insert(name, mode, options) = @insert.call(name, mode, options)

    def eject(name) = @eject.call(name)

    def discard(name) = @discard.call(name)

    def unplayed(name) = @unplayed.call(name)

    # Returns the text for the last result that was not OK.
    def last_error
      buffer = "\0" * (@last_error.call(nil, 0) + 1)
      @last_error.call(buffer, buffer.bytesize)
      buffer.chomp("\0").force_encoding("UTF-8")
    end
  end

  @starting = Mutex.new

  # Puts super8 in front of every ODBC driver, for this process and those that it starts. Returns its library.
  #
  # Call it before the first connection of the process, because the driver manager reads its configuration then.
  # +cassettes+ is a directory: the data sources of cassettes below it need not be configured on this machine. Further
  # calls do nothing.
  def self.start(cassettes: nil)
    @starting.synchronize { @library ||= Library.new(prepare(cassettes)) }
  end

  def self.prepare(cassettes)
    words = [COMMAND, "run", "--print-environment"]
    words += ["--cassettes", cassettes.to_s] if cassettes
    # The command keeps the configuration until this process closes the pipe to it, or ends.
    pipe, output, errors, thread = Open3.popen3(*words)
    line = output.gets
    raise Error, errors.read.strip unless line

    owner = Process.pid
    at_exit { tell_end(pipe, thread) if Process.pid == owner }
    prepared = JSON.parse(line)
    ENV.update(prepared.fetch("environment"))
    @recorded = prepared["recorded"]
    prepared.fetch("library")
  rescue SystemCallError => error
    raise Error, "cannot run #{COMMAND}: #{error.message}"
  end

  # Returns a hint for an error about an unknown data source: what the cassettes connect to. Nil for other errors.
  def self.misspelt(error)
    "super8: #{@recorded}" if @recorded && error && error.message.include?("IM002")
  end

  # Sends the program's exit code to the command, for `super8 unused` and the page of a folder of cassettes.
  def self.tell_end(pipe, thread)
    code = $!.is_a?(SystemExit) ? $!.status : ($! ? 1 : 0)
    pipe.puts("ended #{code}")
    pipe.close
    thread.join
  rescue SystemCallError, IOError
    nil # ignored: then `super8 unused` knows less about this run
  end
  private_class_method :prepare, :tell_end
end
