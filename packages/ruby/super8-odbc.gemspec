# frozen_string_literal: true

# `cargo xtask package` puts the command and both libraries into libexec, and names the version.
Gem::Specification.new do |gem|
  gem.name = "super8-odbc"
  gem.version = ENV.fetch("SUPER8_VERSION")
  gem.summary = "Records what a program asks of a database through ODBC and replays it without the database"
  gem.description = "The command super8, both of its libraries, Super8.use_cassette and RSpec's metadata :super8."
  gem.authors = ["The super8 developers"]
  gem.licenses = ["MIT", "Apache-2.0"]
  gem.required_ruby_version = ">= 2.7"
  gem.platform = Gem::Platform.local
  gem.files = Dir["lib/**/*.rb", "libexec/*", "README.md", "LICENSE-*"]
  gem.bindir = "exe"
  gem.executables = ["super8"]
  gem.files += ["exe/super8"]
  gem.metadata = { "rubygems_mfa_required" => "true" }
end
