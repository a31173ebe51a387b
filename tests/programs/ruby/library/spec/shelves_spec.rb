require_relative "spec_helper"

# Each example works in a transaction, which is rolled back at its end.
RSpec.describe "a shelf" do
  let(:database) { ODBC::Database.new.tap { |database| database.drvconnect(ENV.fetch("CONNECTION")) } }
  let(:titles) { rows(database, "select title from shelves order by title").map(&:first) }

  around do |example|
    database.autocommit = false
    example.run
    database.rollback
    database.disconnect
  end

  it "is empty" do
    expect(titles).to be_empty
    rows(database, "select 99") if ENV["EXTRA"]
  end

  context "with two books" do
    before do
      database.do("insert into shelves values ('Ulysses')")
      database.do("insert into shelves values ('Emma')")
    end

    it "has them in order" do
      expect(titles).to eq %w[Emma Ulysses]
    end

    it "has none after a rollback" do
      database.rollback
      expect(titles).to be_empty
    end

    context "and one that is lent" do
      before { database.do("delete from shelves where title = 'Emma'") }

      it "has the other" do
        expect(titles).to eq %w[Ulysses]
      end
    end
  end
end
