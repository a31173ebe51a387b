# frozen_string_literal: true

require "super8/process"

# Records what a program asks of a database through ODBC, and replays it with driver and database gone.
#
#   Super8.use_cassette("orders") do
#     ODBC.connect("shop") { |shop| shop.run("select count(*) from orders").fetch }
#   end
module Super8
  # The program did something else than was recorded, or left out recorded commands. The message is super8's report.
  class NotAsRecorded < StandardError; end

  # Where cassettes are, and the defaults for calls.
  #
  # +encoding+ exists for programs that used the super8 gem. It is not used: cassettes are UTF-8.
  Configuration = Struct.new(:cassette_directory, :record_mode, :settings, :encoding) do
    # VCR's name for the directory.
    alias_method :cassette_library_dir, :cassette_directory
    alias_method :cassette_library_dir=, :cassette_directory=
  end

  # What VCR and the super8 gem call super8's modes.
  MODES = { "none" => "replay", "playback" => "replay", "all" => "record" }.freeze

  @inserted = []
  @configuration = Configuration.new("spec/super8_cassettes", :once, {}, "utf-8")
  # SUPER8_MODE=record rspec: overrides the mode of every cassette. It is removed from the environment, because it must
  # not apply to connects without a cassette.
  @mode = ENV["SUPER8_CASSETTE"].to_s.empty? ? ENV.delete("SUPER8_MODE") : nil

  class << self
    attr_reader :configuration
    alias config configuration

    # Sets the defaults for all cassettes: Super8.configure { |config| config.cassette_directory =
    # "test/super8_cassettes" }
    def configure
      yield configuration
      self
    end

    # Makes connections in the block record or replay the cassette of this name in the cassette directory. Fails if it
    # is not played as it was recorded. If the block fails, the recording is set aside, and the earlier cassette stays.
    #
    # +mode+ (or +record+, as VCR has it) is :once, :none (or :replay, :playback), :record (or :all) or :off. +settings+ are super8's
    # settings without their prefix: <tt>order: :connection</tt> is Super8Order=connection.
    def use_cassette(name, mode: nil, record: nil, **settings)
      path = File.expand_path(name, configuration.cassette_directory).gsub("%", "%%")
      inserted = [path, (@mode || mode || record || configuration.record_mode).to_s, settings]
      super8 = insert(*inserted)
      @inserted.push(inserted)
      done = false
      begin
        result = yield
        done = true
      ensure
        @inserted.delete(inserted)
        unless done
          super8.discard(path)
          told = misspelt($!)
          warn(told) if told
        end
      end
      eject(super8, path)
      result
    end

    # Begins the cassette that was inserted last anew, for a test that is repeated: a recording is set aside, and a replay
    # begins at the first command.
    def begin_anew
      path, mode, settings = @inserted.last
      start.discard(path)
      insert(path, mode, settings)
    end

    private

    def insert(path, mode, settings)
      settings = configuration.settings.merge(settings)
      options = settings.map { |name, value| "Super8#{name.to_s.split('_').map(&:capitalize).join}={#{value.to_s.gsub('}', '}}')}};" }
      super8 = start(cassettes: configuration.cassette_directory)
      return super8 if super8.insert(path, MODES.fetch(mode, mode), options.join) == Library::OK

      raise Error, super8.last_error
    end

    def eject(super8, path)
      case super8.eject(path)
      when Library::OK, Library::UNUSED then nil
      when Library::MISMATCH, Library::UNPLAYED, Library::NOT_REPLAYED then raise NotAsRecorded, super8.last_error
      else raise Error, super8.last_error
      end
    end
  end
end
