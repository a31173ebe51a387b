# What a Perl program on DBI and DBD::ODBC does: statements with and without parameters, arrays of them, every way of
# fetching, catalog, transactions, errors.
use strict;
use warnings;
use DBI;

my ($string) = @ARGV;
my $db = DBI->connect("dbi:ODBC:$string", undef, undef, { RaiseError => 1, PrintError => 0, AutoCommit => 1, LongReadLen => 9000 });

sub tell_of {
    my ($what, @values) = @_;
    print "$what: ", join('|', map { defined $_ ? (length $_ > 100 ? length $_ : $_) : 'undef' } @values), "\n";
}

$db->do('create table perl_item (id integer, name varchar(20), price double precision, day date, note varchar(9000))');
tell_of('inserted', $db->do("insert into perl_item values (1, 'apple', 1.5, '2026-11-21', 'short')"));
my $insert = $db->prepare('insert into perl_item values (?, ?, ?, ?, ?)');
for my $row ([2, 'pear', 0.25, '2025-01-01', 'x' x 8000], [3, undef, undef, undef, undef], [4, 'cheese', 7, undef, '']) {
    tell_of('rows', $insert->execute(@$row));
}
my @status;
tell_of('array', scalar $db->prepare('insert into perl_item (id, name) values (?, ?)')->execute_array({ ArrayTupleStatus => \@status }, [5, 6], ['five', 'six']));
tell_of('status', @status);

my $all = $db->prepare('select * from perl_item order by id');
$all->execute;
tell_of('names', @{ $all->{NAME} });
tell_of('types', @{ $all->{TYPE} });
tell_of('precision', @{ $all->{PRECISION} });
tell_of('nullable', @{ $all->{NULLABLE} });
while (my @row = $all->fetchrow_array) { tell_of('row', @row) }
my $some = $db->prepare('select id, name from perl_item where price < ? order by id');
for my $price (5, 99) {
    $some->execute($price);
    $some->bind_columns(\my ($id, $name));
    while ($some->fetch) { tell_of("below $price", $id, $name) }
}
tell_of('hash', map { "$_->{id}=" . ($_->{name} // 'undef') } @{ $db->selectall_arrayref('select id, name from perl_item order by id', { Slice => {} }) });
tell_of('none', $db->selectrow_array('select id from perl_item where id > 99'));

my $tables = $db->table_info(undef, undef, 'perl_item', 'TABLE');
while (my $row = $tables->fetchrow_arrayref) { tell_of('table', @{$row}[2, 3]) }
my $columns = $db->column_info(undef, undef, 'perl_item', '%');
while (my $row = $columns->fetchrow_arrayref) { tell_of('column', @{$row}[3, 4, 6]) }
tell_of('types', scalar $db->type_info(4)->{DATA_TYPE});
tell_of('info', $db->get_info(17));

eval { $db->do('select * from nothing') };
tell_of('no table', $DBI::err, $DBI::state, $DBI::errstr);
$db->begin_work;
$db->do('delete from perl_item where id = 1');
$db->rollback;
tell_of('still there', $db->selectrow_array('select count(*) from perl_item'));
$db->begin_work;
$db->do('delete from perl_item where id = 1');
$db->commit;
tell_of('gone', $db->selectrow_array('select count(*) from perl_item'));
tell_of('alive', $db->ping);
undef $_ for $insert, $all, $some, $tables, $columns;
$db->disconnect;
print "done: everything was asked\n";
