<?php
// What a PHP program does, with PDO and with the odbc_ functions: statements with and without parameters, every way of
// fetching, columns, catalog, transactions, errors.
[, $string] = $argv;

function tell(string $what, mixed $value): void
{
    echo $what, ': ', json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n";
}

$db = new PDO("odbc:$string");
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$db->exec('create table php_item (id integer, name varchar(20), price double precision, day date, note varchar(9000))');
tell('inserted', $db->exec("insert into php_item values (1, 'apple', 1.5, '2026-11-21', 'short')"));
$insert = $db->prepare('insert into php_item values (:id, :name, :price, :day, :note)');
foreach ([[2, 'pear', 0.25, '2025-01-01', str_repeat('x', 8000)], [3, null, null, null, null], [4, 'Käse', 7, null, '']] as $row) {
    foreach (['id', 'name', 'price', 'day', 'note'] as $at => $name) {
        $insert->bindValue(":$name", $row[$at], $row[$at] === null ? PDO::PARAM_NULL : PDO::PARAM_STR);
    }
    $insert->execute();
    tell('rows', $insert->rowCount());
}
$all = $db->query('select * from php_item order by id');
tell('columns', $all->columnCount());
for ($at = 0; $at < $all->columnCount(); $at++) {
    tell('column', $all->getColumnMeta($at)['name']);
}
foreach ($all as $row) {
    tell('row', array_map(fn($cell) => is_string($cell) && strlen($cell) > 100 ? strlen($cell) : $cell, $row));
}
$some = $db->prepare('select id, name from php_item where price < ? order by id');
foreach ([5, 99] as $price) {
    $some->execute([$price]);
    tell('below', $some->fetchAll(PDO::FETCH_OBJ));
}
$bound = $db->query('select name, note from php_item order by id');
$bound->bindColumn(1, $name);
$bound->bindColumn('note', $note);
while ($bound->fetch(PDO::FETCH_BOUND)) {
    tell('bound', [$name, $note === null ? null : strlen($note)]);
}
$db->beginTransaction();
$db->exec('delete from php_item where id = 1');
$db->rollBack();
tell('still there', $db->query('select count(*) from php_item')->fetchColumn());
$db->beginTransaction();
$db->exec('delete from php_item where id = 1');
$db->commit();
tell('gone', $db->query('select count(*) from php_item')->fetchColumn());
try {
    $db->query('select * from nothing');
} catch (PDOException $error) {
    tell('no table', [$error->errorInfo[0], $error->errorInfo[1], $error->errorInfo[2]]);
}

$link = odbc_connect($string, '', '');
$all = odbc_exec($link, 'select id, name, price, day from php_item order by id');
for ($at = 1; $at <= odbc_num_fields($all); $at++) {
    tell('field', [odbc_field_name($all, $at), odbc_field_type($all, $at), odbc_field_len($all, $at), odbc_field_scale($all, $at)]);
}
while ($row = odbc_fetch_array($all)) {
    tell('array', $row);
}
$change = odbc_prepare($link, 'update php_item set price = ? where id = ?');
tell('executed', [odbc_execute($change, [12.5, 2]), odbc_num_rows($change)]);
$one = odbc_exec($link, 'select price, note from php_item where id = 2');
odbc_binmode($one, ODBC_BINMODE_RETURN);
odbc_longreadlen($one, 100);
odbc_fetch_row($one);
tell('result', [odbc_result($one, 1), strlen(odbc_result($one, 'note'))]);
odbc_fetch_into(odbc_exec($link, 'select max(id) from php_item'), $into);
tell('into', $into);
tell('no table', [@odbc_exec($link, 'select * from nothing'), odbc_error($link), odbc_errormsg($link)]);
foreach (['tables' => odbc_tables($link, null, null, 'php_item', 'TABLE'), 'columns' => odbc_columns($link, null, null, 'php_item', '%')] as $what => $found) {
    while (odbc_fetch_row($found)) {
        tell($what, [odbc_result($found, 3), odbc_result($found, 4)]);
    }
}
odbc_autocommit($link, false);
odbc_exec($link, 'delete from php_item where id = 4');
odbc_rollback($link);
odbc_autocommit($link, true);
$left = odbc_exec($link, 'select count(*) from php_item');
odbc_fetch_row($left);
tell('left', odbc_result($left, 1));
odbc_close_all();
echo "done: everything was asked\n";
