require_relative "spec_helper"

RSpec.describe "the connection of all" do
  4.times do |number|
    it "is asked for number #{number}" do
      expect(rows(LIBRARY, "select #{number} union all select #{number + 10} order by 1").map(&:first)).to eq [number, number + 10]
    end
  end
end

RSpec.describe "two connections" do
  it "are open at a time" do
    connect do |one|
      connect { |other| expect(rows(one, "select 1") + rows(other, "select 2")).to eq [[1], [2]] }
    end
  end
end
