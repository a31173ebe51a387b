require_relative "spec_helper"

RSpec.describe "a library" do
  [5, 7, 11].each do |year|
    it "lends a book of year #{year}" do
      connect do |database|
        database.do("create table loans_#{year} (title varchar(20), year integer)")
        database.do("insert into loans_#{year} values (?, ?)", "Emma", year)
        unless year == 7 && ENV["LEFT_OUT"]
          expect(database.do("update loans_#{year} set year = year + 1 where title = ?", "Emma")).to eq 1
        end
        rows(database, "select title from loans_#{year}")
        database.do("drop table loans_#{year}")
      end
    end
  end

  it "counts" do
    changed = ENV["CHANGED"] ? 1 : 0
    connect { |database| rows(database, "select 40 + #{changed}, 'x' || ?", "y") }
  end

  it "says what is wrong" do
    connect do |database|
      expect { database.run("select nothing from nowhere") }.to raise_error(ODBC::Error)
    end
  end
end
