# A shop that is about to be empty, on a cassette that a person wrote: docs/how-to/mock.md.
use strict;
use warnings;
use DBI;

my $db = DBI->connect("dbi:ODBC:$ARGV[0]", undef, undef, { RaiseError => 1, PrintError => 0, AutoCommit => 1 });
my $query = $db->prepare('select name, price from fruit where price < ?');
$query->execute(5);
print 'columns: ', join('|', @{ $query->{NAME} }), ' ', join('|', @{ $query->{TYPE} }), "\n";
while (my @row = $query->fetchrow_array) {
    print 'row: ', join('|', map { $_ // 'undef' } @row), "\n";
}
print 'gone: ', $db->do('delete from fruit'), "\n";
eval { $db->do('select nothing') };
print 'error: ', $db->state, ' ', $db->errstr, "\n";
print 'driver: ', $db->get_info(17), ' ', scalar(@{ $db->type_info_all }) - 1, " types\n";
$db->disconnect;
print "done: everything was asked\n";
