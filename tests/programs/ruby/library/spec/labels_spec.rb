require_relative "spec_helper"

RSpec.describe "a label" do
  it "needs no database" do
    expect("Emma".reverse).to eq "ammE"
  end

  shared_examples "a text" do |text|
    it "is read as it is written: #{text.inspect}" do
      connect do |database|
        expect(rows(database, "select ?", text)).to eq [[text]]
      end
    end
  end

  include_examples "a text", "Emma"
  include_examples "a text", "O'Hara, and others"
end
