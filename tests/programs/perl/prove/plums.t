# One of two test files that `prove` runs at the same time, each with a connection and a table of its own.
use strict;
use warnings;
use DBI;
use Test::More tests => 3;

my ($string) = @ARGV;
my $db = DBI->connect("dbi:ODBC:$string", undef, undef, { RaiseError => 1, PrintError => 0, AutoCommit => 1 });
$db->do('create table plums (id integer, name varchar(20))');
is($db->do("insert into plums values (1, 'small'), (2, 'large')"), 2, 'two plums');
my ($name) = $db->selectrow_array('select name from plums where id = ?', undef, 2);
is($name, 'large', 'one is found');
is_deeply($db->selectcol_arrayref('select id from plums order by id desc'), [2, 1], 'all come');
$db->disconnect;
