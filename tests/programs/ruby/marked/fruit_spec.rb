# Examples with a cassette each, by their metadata. The environment says what they do otherwise than recorded.
require "odbc"
require "super8/rspec"

Super8.configure { |config| config.cassette_directory = "spec/cassettes" }

def asks(name) = ENV.fetch("OTHERWISE", "").include?(name)

def price(name, sql = "select 4 where ? = 'pear'")
  shop = ODBC.connect(asks("misspelt") ? "shpo" : "shop")
  query = shop.run(sql, name)
  row = query.fetch
  query.drop
  shop.disconnect
  row&.first
end

RSpec.describe "A shop", :super8 do
  it "has pears" do
    expect(price("pear", asks("pears") ? "select 5 where ? = 'pear'" : "select 4 where ? = 'pear'")).to eq(4)
  end

  context "with: plums/100%" do
    it("has no plums") { expect(price("plum")).to be_nil }
  end

  it("uses no database") { expect(1).to eq(1) }

  it "swallows an error" do
    price("pear", asks("swallowed") ? "select 7, ?" : "select 6, ?")
  rescue ODBC::Error
    nil
  end

  it("may fail") { expect(price("pear", asks("fail") ? "select 8 where ? = 'pear'" : "select 9 where ? = 'pear'")).to eq(9) }

  it("leaves out") { price("pear") unless asks("left out") }

  it "has another name", super8: { cassette_name: "by name/pears", order: :connection } do
    expect(price("pear")).to eq(4)
  end
end
