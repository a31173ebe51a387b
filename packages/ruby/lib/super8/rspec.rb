# frozen_string_literal: true

require "super8"

# Gives examples with the metadata :super8, and those in groups with it, a cassette each, named after their
# descriptions. To give another name or settings, write <tt>super8: { cassette_name: "orders", order: :connection
# }</tt>.
module Super8
  # The examples that have cassettes.
  module Examples
    @owners = {}
    # `super8 replay` has its own advice on how to record again.
    @advises = ENV["SUPER8_RECORD_AGAIN"].nil?

    class << self
      # Returns the name of an example's cassette: its description, in a directory for each group that it is in.
      def cassette_name(example)
        groups = example.example_group.parent_groups.reverse.map(&:description)
        own = example.description.empty? ? example.id : example.description
        [*groups, own].map { |text| text.gsub(/[^\w.,-]+/, "_").sub(/\A\./, "_") }.join("/")
      end

      # Notes that an example begins. If it is repeated inside of its cassette, the cassette begins anew. Whether rspec-retry repeats
      # an example inside or outside of it depends on which of the two is required first.
      def begin_attempt
        @attempts += 1
        Super8.begin_anew if @attempts > 1
      end

      # Runs an example with its cassette.
      def run(example)
        settings = example.metadata[:super8].is_a?(Hash) ? example.metadata[:super8].dup : {}
        name = settings.delete(:cassette_name) || cassette_name(example)
        owner = @owners[name] ||= example.id
        raise Error, "#{owner} has the cassette #{name}, too: give one of the two another cassette_name" if owner != example.id

        ENV["SUPER8_RECORD_AGAIN"] = ["SUPER8_MODE=record", "rspec", example.location].join("\x1f") if @advises
        @attempts = 0
        Super8.use_cassette(name, **settings) do
          example.run
          told = Super8.misspelt(example.exception)
          example.metadata[:extra_failure_lines] = [told] if told
          # RSpec keeps the failure. Leaving the block like this sets the recording aside, without another error.
          throw :failed if example.exception || example.example.pending?
        end
      end
    end
  end
end

RSpec.configure do |config|
  # Before anything connects, because the driver manager reads its configuration at the first connect.
  config.before(:suite) { Super8.start(cassettes: Super8.configuration.cassette_directory) }
  config.prepend_before(:each, :super8) { Super8::Examples.begin_attempt }
  config.around(:each, :super8) { |example| catch(:failed) { Super8::Examples.run(example) } }
end
